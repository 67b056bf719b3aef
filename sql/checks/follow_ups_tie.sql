-- blocking of mart.follow_ups: The follow-ups of these marts do not match `core.follow_ups`, or their difficult answers do not match `core.responses`. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with difficult as (
    select count(*) as answers from core.responses where effort_band = 'difficult'
),

counted as (
    select
        'mart.follow_ups' as mart,
        (select count(*) from mart.follow_ups) as counted,
        case when exists (from core.follow_ups) then answers else 0 end as expected
    from difficult
    union all
    select
        'mart.follow_up_matches' as mart,
        (select sum(follow_ups) from mart.follow_up_matches) as counted,
        (select count(distinct follow_up_key) from core.follow_ups) as expected
    union all
    select
        'mart.follow_up_rates, ' || period || if(survey_id = 'all surveys', ', all surveys', '') as mart,
        sum(difficult_answers) as counted,
        any_value(answers) as expected
    from mart.follow_up_rates
    cross join difficult
    group by all
    union all
    select
        'mart.follow_up_rates, ' || period || ', followed up' as mart,
        sum(followed_up) as counted,
        (select count(*) from mart.follow_ups where is_final and state <> 'none') as expected
    from mart.follow_up_rates
    where survey_id <> 'all surveys'
    group by period
)

select
    mart,
    coalesce(counted, 0) as counted,
    expected
from counted
where coalesce(counted, 0) <> expected
order by mart;
