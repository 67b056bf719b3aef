-- blocking of mart.segment_variance: The variance between and within segments does not add up to the total variance. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
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
