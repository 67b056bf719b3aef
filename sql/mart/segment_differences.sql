-- One row per month (and all days) x dimension x segment: the segment compared with the rest of its dimension.
-- Answers: whose effort differs from that of the others by more than chance? The query collects the evidence;
-- `ces_pipeline.statistics.differences` computes intervals and verdicts. A null figure: one of the two sides has fewer
-- answers than the minimum n, or all answers are equal.
with cubes_daily as (
    -- Ease has at most six decimals: sums of decimals are exact, so the order of the rows never changes a figure.
    select
        day,
        sum(
            ease_0_100::decimal(9, 6) * ease_0_100::decimal(9, 6) * ease_0_100::decimal(9, 6)
        ) as ease_cube_sum
    from core.responses
    where ease_0_100 is not null
    group by day
),

cubes as (
    select
        'month' as period,
        date_trunc('month', day)::date as period_start,
        sum(ease_cube_sum)::double as ease_cube_sum_total
    from cubes_daily
    group by all
    union all by name
    select
        'all' as period,
        min(day) as period_start,
        sum(ease_cube_sum)::double as ease_cube_sum_total
    from cubes_daily
),

segments as (
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
)

select
    period,
    period_start,
    dimension,
    segment,
    n,
    n_total - n as n_rest,
    is_mixed_scales,
    ease_sum,
    ease_square_sum,
    n_total,
    ease_sum_total,
    ease_square_sum_total,
    ease_cube_sum_total,
    least(n, n_total - n) < minimum_n as is_suppressed
from segments
inner join totals using (period, period_start)
inner join cubes using (period, period_start)
cross join reference.settings
order by period, period_start, dimension, segment;
