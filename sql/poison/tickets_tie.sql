-- 4 wrong rows: a ticket in each mart, and none in `core.tickets`
insert into mart.ticket_effort (ticket_key, is_deleted) values ('one', false);
insert into mart.link_coverage_daily (resolved_tickets) values (1);
insert into mart.category_effort (period, tickets) values ('week', 1);
insert into mart.handling_effort (period, tickets) values ('week', 1);
