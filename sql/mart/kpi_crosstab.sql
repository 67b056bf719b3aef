-- One row per other KPI x survey x effort band x band of the other KPI that occurs together.
-- Answers: of the customers for whom it was easy (or difficult), how many were also satisfied or would recommend? The
-- share is of the effort band; null: fewer answers in that band than the minimum n.
with counted as (
    select
        kpi,
        survey_id,
        effort_band,
        other_band,
        count(*) as n
    from mart.kpi_pairs
    group by kpi, survey_id, effort_band, other_band
)

select
    kpi,
    survey_id,
    effort_band,
    other_band,
    n,
    (sum(n) over (partition by kpi, survey_id, effort_band))::bigint as band_n,
    case when band_n >= minimum_n then n / band_n end as share_of_band,
    case when band_n >= minimum_n then share_low(n, band_n) end as share_of_band_low,
    case when band_n >= minimum_n then share_high(n, band_n) end as share_of_band_high,
    band_n < minimum_n as is_suppressed
from counted
cross join reference.settings
order by kpi, survey_id, effort_band, other_band;
