-- 1 wrong row: a source whose newest pull failed
insert into reference.sources (source_id) values ('web');

insert into audit.delivery_days (kind, source_id, day, rows_landed) values ('survey', 'web', '2026-03-02', 1);
insert into audit.pending_days (kind, day) values ('survey', '2026-03-02');

insert into audit.pulls (pull_id, source_id, started_at, failure)
values
('a', 'web', '2026-03-02 01:00:00Z', null),
('b', 'web', '2026-03-02 02:00:00Z', 'the vendor refused the call');
