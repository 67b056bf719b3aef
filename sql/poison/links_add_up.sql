-- 5 wrong rows: each sum broken on a day of its own
insert into mart.link_coverage_daily (
    day, responses, linked_by_ticket_id, linked_by_external_id, linked_by_requester_window, without_ticket,
    answered_tickets, eligible_tickets, resolved_tickets
)
values
('2026-03-01', 1, 0, 0, 0, 0, 0, 0, 0),
('2026-03-02', 0, 1, 0, 0, 0, 0, 0, 0),
('2026-03-03', 0, 0, 0, 0, 1, 0, 0, 0),
('2026-03-04', 0, 0, 0, 0, 0, 1, 0, 0),
('2026-03-05', 0, 0, 0, 0, 0, 0, 1, 0);

insert into mart.program_metrics (metric, n) values ('responses_linked_share', 1), ('tickets_answered_share', 1);
