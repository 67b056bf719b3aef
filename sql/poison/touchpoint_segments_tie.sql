-- 4 wrong rows: segments without a total, with another total, and with another week
insert into mart.touchpoint_segments (survey_id, span, span_start, dimension, n)
values
('after_chat', '4 weeks', '2026-03-02', 'channel', 1),
('after_chat', 'month', '2026-03-01', 'all', 1),
('after_chat', 'month', '2026-03-01', 'channel', 2),
('after_chat', 'week', '2026-03-02', 'all', 2),
('after_chat', 'week', '2026-03-02', 'channel', 2);

insert into mart.ces_weekly (survey_id, week, n) values ('after_chat', '2026-03-02', 1);
