-- One row per month (and all days) x dimension x segment: the segment compared with the rest of its dimension.
-- Answers: whose effort differs from that of the others by more than chance? The query collects the evidence;
-- `ces_pipeline.statistics.differences` computes intervals and verdicts. A null figure: one of the two sides has fewer
-- answers than the minimum n, or all answers are equal.
with segments as (
    select
        period,
        period_start,
        dimension,
        segment,
        n,
        ease_sum_0_100 as ease_sum,
        ease_square_sum_0_100 as ease_square_sum
    from mart.ces_segments
    where period in ('all', 'month') and dimension <> 'all'
),

totals as (
    select
        period,
        period_start,
        n as n_total,
        is_mixed_scales,
        ease_sum_0_100 as ease_sum_total,
        ease_square_sum_0_100 as ease_square_sum_total
    from mart.ces_segments
    where dimension = 'all'
),

sides as (
    select
        segments.*,
        n_total - n as n_rest,
        is_mixed_scales,
        ease_sum_total - ease_sum as ease_sum_rest,
        ease_square_sum_total - ease_square_sum as ease_square_sum_rest
    from segments
    inner join totals using (period, period_start)
)

select
    period,
    period_start,
    dimension,
    segment,
    n,
    n_rest,
    is_mixed_scales,
    ease_sum / n as mean_ease_0_100,
    ease_sum_rest / nullif(n_rest, 0) as mean_ease_rest_0_100,
    sample_sd(n, ease_sum, ease_square_sum) as sd_ease_0_100,
    sample_sd(n_rest, ease_sum_rest, ease_square_sum_rest) as sd_ease_rest_0_100,
    least(n, n_rest) < minimum_n as is_suppressed
from sides
cross join reference.settings
order by period, period_start, dimension, segment;
