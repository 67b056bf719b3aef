-- One row per survey and week, from its first answer on: ease, effort, shares, and the change to the week before.
-- column week_key: Key of the row: first day of the week and survey.
select
    figures.week::varchar || '/' || figures.survey_id as week_key,
    figures.week,
    figures.survey_id,
    surveys.title as survey_title,
    figures.is_whole_week,
    figures.n,
    figures.is_suppressed,
    figures.is_mixed_scales,
    figures.is_mixed_wordings,
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
    figures.net_ease_high,
    figures.change_ease_0_100,
    figures.change_low_0_100,
    figures.change_high_0_100,
    figures.verdict,
    figures.why_null
from mart.week_changes as figures
left join reference.surveys as surveys using (survey_id)
order by week_key;
