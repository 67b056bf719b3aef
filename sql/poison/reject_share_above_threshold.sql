-- 2 wrong rows: a day of answers and a day of tickets on which every row was rejected
insert into reference.settings (minimum_n, reject_share_warning) values (1, 0.5);

insert into mart.quality_daily (day, source_id, accepted, rejected, rejected_share)
values ('2026-03-02', 'web', 0, 1, 1);

insert into mart.program_metrics (metric, n, state, value) values ('rejected_share', 1, 'measured', 1);

insert into audit.load_audit (kind, source_id, day, is_current, accepted, rejected)
values ('tickets', 'desk', '2026-03-02', true, 0, 1);

insert into audit.pending_days (kind, day) values ('tickets', '2026-03-02');
