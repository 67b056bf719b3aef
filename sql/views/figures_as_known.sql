-- One row per survey, day and figures that were the newest ones at the end of some day.
-- Answers: what did we know on a date, and which figures changed since? `where date '2026-03-09' between known_from and
-- known_until` gives the figures as they were published at the end of that day. Days of the business time zone.
-- column known_from: First day at whose end these figures were the newest.
-- column known_until: Last such day; 9999-12-31: they are the present figures.
-- column is_restated: True if the survey's day was published with several figures.
with versions as (
    select
        figure_history.*,
        (published_at at time zone business_time_zone)::date as known_from,
        count(*) over (partition by survey_id, day) > 1 as is_restated,
        (
            lead(published_at) over (partition by survey_id, day order by published_at) at time zone business_time_zone
        )::date - 1 as last_known_on
    from audit.figure_history
    cross join reference.settings
)

select
    survey_id,
    day,
    known_from,
    coalesce(last_known_on, date '9999-12-31') as known_until,
    is_restated,
    n,
    mean_effort_0_100,
    mean_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    easy_share,
    easy_share_low,
    easy_share_high,
    difficult_share,
    difficult_share_low,
    difficult_share_high,
    top_two_share,
    ease_sum_0_100,
    published_at,
    run_id
from versions
where last_known_on is null or known_from <= last_known_on;
