-- 4 wrong rows: a follow-up in each mart, and none in `core.follow_ups`
insert into mart.follow_ups (response_key) values ('one');
insert into mart.follow_up_matches (follow_ups) values (1);

insert into mart.follow_up_rates (period, survey_id, difficult_answers, followed_up)
values
('week', 'all surveys', 1, 0),
('week', 'after_chat', 0, 1);
