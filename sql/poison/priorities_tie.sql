-- 5 wrong rows: each sum of the priorities broken on a level of its own
insert into core.tickets (ticket_key) values ('one');

insert into mart.ticket_effort (ticket_key, created_day, is_deleted, linked_scores)
values ('one', '2026-03-02', false, 1);

insert into mart.priorities (
    level, category, first_day, tickets, n, excess_points, total_excess_points, excess_share
)
values
('tickets', 'a', '2026-03-01', 2, 1, 1, 1, 1),
('answers', 'a', '2026-03-01', 1, 2, 1, 1, 1),
('points', 'a', '2026-03-01', 1, 1, 1, 2, 1),
('total', 'a', '2026-03-01', 1, 1, 1, 1, 1),
('total', 'b', '2026-03-01', 0, 0, 0, 2, 0),
('share', 'a', '2026-03-01', 1, 1, 1, 1, 0.5);
