-- 1 wrong row: a source that never had a row
insert into reference.sources (source_id) values ('web');
