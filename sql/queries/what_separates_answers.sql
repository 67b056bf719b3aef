-- What separates easy from hard? Share of the variance of ease that goes with each attribute, corrected for chance, largest first.
select
    dimension,
    segments,
    n,
    round(omega_squared, 4) as omega_squared
from mart.segment_variance
where period = 'all' and not is_suppressed and segments > 1
order by omega_squared desc nulls last, dimension;
