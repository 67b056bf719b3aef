-- 1 wrong row: a span of which the vendor has more than has landed
insert into mart.capture_daily (source_id, stream, window_start, window_end, landed, state)
values ('web', 'answers', '2026-03-02 00:00:00Z', '2026-03-03 00:00:00Z', 0, 'short');
