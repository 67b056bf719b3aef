-- 4 wrong rows: two weeks with another n before and change, and a survey with other answers by week and by month
insert into mart.week_changes (survey_id, week, n, n_before, mean_ease_0_100, change_ease_0_100)
values
('after_call', '2026-03-02', 2, null, 50, null),
('after_call', '2026-03-09', 0, 1, 60, null),
('after_call', '2026-03-16', 0, 0, 70, 5);

insert into mart.month_changes (survey_id, month, n) values ('after_call', '2026-03-01', 1);
