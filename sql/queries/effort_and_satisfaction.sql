-- Does easy also mean satisfied? Rank correlation of ease with the other answers on the same interaction, with interval.
-- No rows: no answer has a satisfaction (CSAT) or recommendation (NPS) score next to its effort score.
select
    kpi,
    survey_id,
    n,
    round(spearman, 3) as spearman,
    round(spearman_low, 3) as spearman_low,
    round(spearman_high, 3) as spearman_high,
    why_null
from mart.kpi_association
order by kpi, survey_id;
