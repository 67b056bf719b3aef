-- 15 wrong rows: each equation of the books broken on a day of its own, and a row of each table that no book has
insert into audit.load_audit (
    kind, source_id, is_current, day, landed, redelivered, landed_again, superseded, accepted, rejected
)
values
('survey', 'web', true, '2026-03-01', 1, 0, 0, 0, 0, 0),
('survey', 'web', true, '2026-03-02', 1, 0, 0, 0, 1, 0),
('survey', 'web', true, '2026-03-03', 1, 0, 0, 0, 0, 1);

insert into audit.delivery_days (kind, source_id, day, rows_landed) values ('survey', 'web', '2026-03-04', 1);

insert into core.ticket_versions (source_id, day) values ('accepted', '2026-03-05');
insert into core.account_versions (source_id, day) values ('accepted', '2026-03-05');
insert into core.invitations (source_id, day) values ('accepted', '2026-03-05');
insert into core.events (source_id, day) values ('accepted', '2026-03-05');
insert into core.follow_ups (source_id, day) values ('accepted', '2026-03-05');
insert into core.rejected_responses (source_id, day) values ('rejected', '2026-03-05');
insert into core.rejected_tickets (source_id, day) values ('rejected', '2026-03-05');
insert into core.rejected_accounts (source_id, day) values ('rejected', '2026-03-05');
insert into core.rejected_invitations (source_id, day) values ('rejected', '2026-03-05');
insert into core.rejected_events (source_id, day) values ('rejected', '2026-03-05');
insert into core.rejected_follow_ups (source_id, day) values ('rejected', '2026-03-05');
