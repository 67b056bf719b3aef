-- Is it getting easier? Mean ease per week and touchpoint; n beside every mean, none below the minimum n.
select
    date_trunc('week', day)::date as week,
    survey_id,
    sum(n) as n,
    case when sum(n) >= any_value(minimum_n) then round(sum(ease_sum_0_100) / sum(n), 1) end as mean_ease_0_100,
    case
        when sum(n) >= any_value(minimum_n) then round((sum(easy_count) - sum(difficult_count)) / sum(n), 2)
    end as net_ease
from mart.ces_daily
cross join reference.settings
group by all
order by week, survey_id;
