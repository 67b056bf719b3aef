-- 1 wrong row: a survey without a response for a month, while another has one
insert into reference.settings (silent_touchpoint_days) values (7);
insert into reference.surveys (survey_id) values ('silent'), ('heard');

insert into mart.response_rates (survey_id, last_response_day, days_silent)
values
('silent', '2026-02-02', 28),
('heard', '2026-03-02', 0);
