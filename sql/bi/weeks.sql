-- One row per week and survey with a scored answer: ease, effort and shares with their intervals.
-- column week_key: Key of the row: first day of the week and survey.
-- column week: Monday of the week, business zone.
-- column survey_id: The survey.
select
    figures.period_start::varchar || '/' || figures.segment as week_key,
    figures.period_start as week,
    figures.segment as survey_id,
    surveys.title as survey_title,
    figures.n,
    figures.is_suppressed,
    figures.is_mixed_scales,
    figures.mean_ease_0_100,
    figures.ease_low_0_100,
    figures.ease_high_0_100,
    figures.mean_effort_0_100,
    figures.easy_share,
    figures.easy_share_low,
    figures.easy_share_high,
    figures.difficult_share,
    figures.difficult_share_low,
    figures.difficult_share_high,
    figures.net_ease,
    figures.net_ease_low,
    figures.net_ease_high
from mart.ces_segments as figures
left join reference.surveys as surveys on figures.segment = surveys.survey_id
where figures.period = 'week' and figures.dimension = 'survey'
order by week_key;
