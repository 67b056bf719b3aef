-- blocking: The weeks, months or quarters of a survey do not add up to its answers, or a change is not the difference of the two means. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with periods as (
    select
        'week' as period,
        survey_id,
        week as period_start,
        n,
        n_before,
        mean_ease_0_100,
        change_ease_0_100
    from mart.week_changes
    union all
    select
        'month' as period,
        survey_id,
        month as period_start,
        n,
        n_before,
        mean_ease_0_100,
        change_ease_0_100
    from mart.month_changes
    union all
    select
        'quarter' as period,
        survey_id,
        quarter as period_start,
        n,
        n_before,
        mean_ease_0_100,
        change_ease_0_100
    from mart.quarter_changes
),

compared as (
    select
        periods.*,
        lag(n) over survey as n_of_before,
        lag(mean_ease_0_100) over survey as mean_ease_of_before
    from periods
    window survey as (partition by period, survey_id order by period_start)
),

answers as (
    select
        segment as survey_id,
        n as n_of_survey
    from mart.ces_segments
    where period = 'all' and dimension = 'survey'
),

surveys as (
    select survey_id from answers
    union
    select survey_id from periods
),

totals as (
    select
        period,
        survey_id,
        sum(n) as n_of_periods
    from periods
    group by period, survey_id
)

select
    period,
    survey_id,
    period_start,
    'another change than that of the two means' as what
from compared
where
    n_before is distinct from n_of_before
    or (
        change_ease_0_100 is not null
        and coalesce(abs(mean_ease_0_100 - mean_ease_of_before - change_ease_0_100) > 1e-9, true)
    )
union all
select
    period,
    survey_id,
    null as period_start,
    'another number of answers than the survey has' as what
from (select unnest(['week', 'month', 'quarter']) as period)
cross join surveys
left join totals using (period, survey_id)
left join answers using (survey_id)
where n_of_periods is distinct from n_of_survey
order by all;
