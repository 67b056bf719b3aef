-- One row per day and survey with an answer: ease, satisfaction and recommendation side by side.
-- Each figure has its own n. Null: no such answers, or fewer than the minimum n.
-- column day_key: Key of the row: day and survey.
select
    figures.day::varchar || '/' || figures.survey_id as day_key,
    figures.day,
    figures.survey_id,
    surveys.title as survey_title,
    figures.ease_n,
    figures.mean_ease_0_100,
    figures.ease_low_0_100,
    figures.ease_high_0_100,
    figures.csat_n,
    figures.mean_csat_0_100,
    figures.csat_low_0_100,
    figures.csat_high_0_100,
    figures.nps_n,
    figures.net_promoter_score,
    figures.net_promoter_score_low,
    figures.net_promoter_score_high
from mart.kpi_daily as figures
left join reference.surveys as surveys using (survey_id)
order by day_key;
