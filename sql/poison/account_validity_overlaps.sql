-- 1 wrong row: an account whose second version begins before the first one ends
insert into core.account_versions (source_id, person_key, valid_from, valid_to, day)
values
('crm', 'one', '2026-01-01 00:00:00Z', '2026-02-02 00:00:00Z', '2026-03-02'),
('crm', 'one', '2026-02-01 00:00:00Z', null, '2026-03-02');

-- The books of a pending day are not judged.
insert into audit.pending_days (kind, day) values ('accounts', '2026-03-02');
