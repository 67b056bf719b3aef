-- The effort figures of groups of scored answers, for every mart that splits scored answers.
-- `sums` names a CTE or table with one row per group: n (answers), ease_sum and ease_square_sum (doubles: sums of points
-- 0 to 100, and of their squares), easy_count, neutral_count and difficult_count (answers in the boxes of their scale).
-- Other columns (the group, n_suspect) are kept. A group without answers has n 0 and sums of 0.
-- The macro returns means, their standard deviation and interval in points 0 to 100, shares from 0 to 1, and net ease from
-- -1 to 1. Each is null below the minimum n (`is_suppressed`). It also returns the two sums, under their published names.
create or replace temp macro effort_figures(sums) as table
    with moments as (
        select
            given.*,
            n < minimum_n as is_suppressed,
            ease_sum / n as mean_ease,
            sample_sd(n, ease_sum, ease_square_sum) as sd_ease
        from query_table(sums) as given
        cross join reference.settings
    )

    select
        moments.* exclude (ease_sum, ease_square_sum, mean_ease, sd_ease),
        shown(is_suppressed, 100 - mean_ease) as mean_effort_0_100,
        shown(is_suppressed, mean_ease) as mean_ease_0_100,
        shown(is_suppressed, sd_ease) as sd_ease_0_100,
        shown(is_suppressed, mean_low(n, ease_sum, ease_square_sum)) as ease_low_0_100,
        shown(is_suppressed, mean_high(n, ease_sum, ease_square_sum)) as ease_high_0_100,
        shown(is_suppressed, easy_count / n) as easy_share,
        shown(is_suppressed, share_low(easy_count, n)) as easy_share_low,
        shown(is_suppressed, share_high(easy_count, n)) as easy_share_high,
        shown(is_suppressed, difficult_count / n) as difficult_share,
        shown(is_suppressed, share_low(difficult_count, n)) as difficult_share_low,
        shown(is_suppressed, share_high(difficult_count, n)) as difficult_share_high,
        shown(is_suppressed, (easy_count - difficult_count) / n) as net_ease,
        shown(is_suppressed, net_low(easy_count, difficult_count, n)) as net_ease_low,
        shown(is_suppressed, net_high(easy_count, difficult_count, n)) as net_ease_high,
        ease_sum as ease_sum_0_100,
        ease_square_sum as ease_square_sum_0_100
    from moments;
