-- 1 wrong row: variance between and within that is not the total
insert into mart.segment_variance (dimension, n, between_squares, within_squares, total_squares)
values ('channel', 1, 1, 1, 3);
