-- 1 wrong row: a day with a figure and no response
insert into mart.ces_daily (day, n, easy_count, neutral_count, difficult_count) values ('2026-03-02', 1, 1, 0, 0);
