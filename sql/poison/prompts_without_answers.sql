-- 1 wrong row: a survey that was viewed and has no answer
insert into reference.settings (minimum_n) values (1);

insert into mart.response_funnel_daily (day, survey_id, views, invited, responses)
values ('2026-03-02', 'after_chat', 1, 0, 0);
