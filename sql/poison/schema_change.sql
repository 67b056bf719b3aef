-- 7 wrong rows: a change of each kind on the newest day of deliveries, and none of those before it
insert into reference.settings (minimum_n, business_time_zone) values (1, 'UTC');

insert into audit.deliveries (source_id, delivery_id, received_at, rows_landed)
values
('web', 'd1', '2026-03-01 12:00:00Z', 1),
('web', 'd2', '2026-03-02 12:00:00Z', 1),
('web', 'd3', '2026-03-02 13:00:00Z', 1);

insert into audit.schema_changes (source_id, delivery_id, change, column_name, item, was, is_now)
values
('web', 'd1', 'column_added', 'old', 'old', null, 'text'),
('web', 'd2', 'column_added', 'a', 'a', null, 'text'),
('web', 'd2', 'column_gone', 'b', 'b', 'text', null),
('web', 'd2', 'column_renamed', 'c', 'c', 'd', 'c'),
('web', 'd2', 'column_retyped', 'e', 'e', 'number', 'text'),
('web', 'd3', 'value_added', 'way', 'fax', null, 'fax'),
('web', 'd3', 'value_gone', 'way', 'phone', 'phone', null),
('web', 'd3', 'value_renamed', 'score', 'Easy', 'easy', 'Easy');
