-- One row per other KPI x survey with both on the same interaction.
-- Answers: do effort and satisfaction (or recommendation) go together? This gathers how often each pair of values occurs;
-- `analysis/kpis.py` makes rank correlations of it. Association is no cause. Null: `why_null` tells why.
select
    kpi,
    survey_id,
    ease_0_100,
    other,
    count(*) as pairs,
    any_value(minimum_n) as minimum_n
from mart.kpi_pairs
cross join reference.settings
group by kpi, survey_id, ease_0_100, other
order by kpi, survey_id, ease_0_100, other;
