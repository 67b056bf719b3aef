-- One row per month (and all days) x dimension with at least one scored response.
-- Answers: how much of the variance of the answers goes with channel, persona, product ...? The squared deviations of
-- ease from its mean are split into those of the segment means (between) and those around them (within); both add up
-- to the total. They are associations, not causes. Dimensions overlap, so their shares cannot be summed. Null shares:
-- fewer answers than the minimum n, or all answers equal. Go by omega squared: eta squared is above 0 by chance alone. If
-- `is_mixed_scales` is true, a part of the variance is that of the scales.
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
        ease_sum_0_100 / n as mean_total,
        greatest(ease_square_sum_0_100 - ease_sum_0_100 * ease_sum_0_100 / n, 0) as total_squares
    from mart.ces_segments
    where dimension = 'all'
),

-- Summed in the order of the segments: sums of floating-point numbers depend on the order.
split as (
    select
        period,
        period_start,
        dimension,
        count(*) as segments,
        sum(n)::bigint as n,
        sum(n * pow(ease_sum / n - mean_total, 2) order by segment) as between_squares,
        sum(greatest(ease_square_sum - ease_sum * ease_sum / n, 0) order by segment) as within_squares,
        any_value(total_squares) as total_squares,
        any_value(is_mixed_scales) as is_mixed_scales
    from segments
    inner join totals using (period, period_start)
    group by all
)

select
    period,
    period_start,
    dimension,
    segments,
    n,
    is_mixed_scales,
    between_squares,
    within_squares,
    total_squares,
    case
        when n >= minimum_n and total_squares > 0 then least(between_squares / total_squares, 1)
    end as eta_squared,
    shown(n < minimum_n, omega_squared(segments, n, between_squares, within_squares, total_squares)) as omega_squared,
    n < minimum_n as is_suppressed
from split
cross join reference.settings
order by period, period_start, dimension;
