-- 3 wrong rows: a column that is retyped, one that is gone and one that was added
insert into reference.settings (minimum_n, business_time_zone) values (1, 'UTC');

insert into audit.delivery_columns (source_id, delivery_id, received_at, looked_at, column_name, filled, kind)
values
('web', 'd1', '2026-03-01 12:00:00Z', 1, 'retyped', 1, 'number'),
('web', 'd1', '2026-03-01 12:00:00Z', 1, 'gone', 1, 'text'),
('web', 'd2', '2026-03-02 12:00:00Z', 1, 'retyped', 1, 'text'),
('web', 'd2', '2026-03-02 12:00:00Z', 1, 'added', 1, 'text');
