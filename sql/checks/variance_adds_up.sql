-- blocking: Between and within do not add up to the total variance. Delete the published file and run `ces run`, which makes it again from the lake; if it stays, report it.
select
    period,
    period_start,
    dimension,
    between_squares,
    within_squares,
    total_squares
from mart.segment_variance
where abs(between_squares + within_squares - total_squares) > 1e-6 * greatest(total_squares, n)
order by period, period_start, dimension;
