-- Satisfaction and recommendation next to effort: other questions, never one number.
select
    survey_id,
    csat_n,
    mean_csat_0_100,
    csat_low_0_100,
    csat_high_0_100,
    nps_n,
    net_promoter_score,
    net_promoter_score_low,
    net_promoter_score_high
from mart.kpi_periods
where period = $period and period_start = $period_start and csat_n + nps_n > 0
order by survey_id;
