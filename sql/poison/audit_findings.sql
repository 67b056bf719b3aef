-- 1 wrong row: a finding of the newest audit; one that a later audit and one that a later cleaning answered are none
insert into audit.audits (run_id, kind, first_day, last_day, audited_at)
values
('a1', 'survey', '2026-03-01', '2026-03-09', '2026-03-10 12:00:00Z'),
('a2', 'survey', '2026-03-02', '2026-03-02', '2026-03-11 12:00:00Z');

insert into audit.audit_findings (run_id, kind, day, change, rows, is_stale, audited_at)
values
('a1', 'survey', '2026-03-01', 'rejected (too_fast) -> accepted', 3, false, '2026-03-10 12:00:00Z'),
('a1', 'survey', '2026-03-02', 'accepted -> rejected (slow)', 3, false, '2026-03-10 12:00:00Z'),
('a1', 'survey', '2026-03-03', 'other values of channel', 3, false, '2026-03-10 12:00:00Z');

insert into audit.load_audit (kind, day, is_current, cleaned_at)
values ('survey', '2026-03-03', true, '2026-03-10 13:00:00Z');
