-- 4 wrong rows: segments without a total, with another total, and with another week
insert into mart.ces_segments (period, period_start, dimension, n)
values
('day', '2026-03-02', 'channel', 1),
('month', '2026-03-01', 'all', 1),
('month', '2026-03-01', 'channel', 2),
('week', '2026-03-02', 'all', 2),
('week', '2026-03-02', 'channel', 2);

insert into mart.ces_weekly (week, n) values ('2026-03-02', 1);
