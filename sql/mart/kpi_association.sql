-- One row per other KPI x survey with both on the same interaction.
-- Answers: do effort and satisfaction (or recommendation) agree? The query counts each pair of values;
-- `ces_pipeline.statistics.kpis` computes rank correlations. An association is not a cause. Null: `why_null` gives the
-- reason.
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
