-- 1 wrong row: a word of a flag that is in no list
insert into audit.load_audit (kind, source_id, day, is_current, unknown_words)
values ('survey', 'web', '2026-03-02', true, '{"finished": {"perhaps": 1}}');

insert into audit.pending_days (kind, day) values ('survey', '2026-03-02');
