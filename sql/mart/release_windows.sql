-- One row per release x survey that it affects (and all of them): effort in the days before and after it.
-- Answers: did a release make anything harder? It compares days at a constant mix of channels, products and surveys,
-- without the weekday pattern; the days after begin with the day of the release. The query collects answers by day;
-- `ces_pipeline.statistics.releases` compares them, with false-discovery control among all comparisons. No rows
-- without a release. A null figure: too few answers; `why` gives the reason.
with windows as (
    select
        releases.*,
        release_window_days,
        minimum_n,
        day - release_window_days::integer as first_day,
        day + (release_window_days - 1)::integer as last_day
    from reference.releases
    cross join reference.settings
),

touched as (
    select
        release_id,
        surveys.survey_id
    from windows
    inner join reference.surveys on len(survey_ids) = 0 or list_contains(survey_ids, surveys.survey_id)
),

answers as (
    select
        release_id,
        ces_daily.survey_id,
        ces_daily.day,
        channel,
        product,
        ces_daily.day >= windows.day as is_after,
        sum(n)::bigint as n,
        (100 * sum(n) - sum(ease_sum_0_100::decimal(18, 6)))::double as effort_sum
    from windows
    inner join touched using (release_id)
    inner join mart.ces_daily
        on
            touched.survey_id = ces_daily.survey_id
            and ces_daily.day between first_day and last_day
            and (len(products) = 0 or list_contains(products, product))
    group by all
),

meeting as (
    select
        one.release_id,
        string_agg(
            other.release_id || case when other.day = one.day then ' (same day)' else '' end,
            ', ' order by other.release_id
        ) as overlapping_releases
    from windows as one
    inner join reference.releases as other
        on
            one.release_id <> other.release_id
            and other.day between one.first_day and one.last_day
    group by one.release_id
)

select
    windows.release_id,
    windows.day as release_day,
    release_window_days,
    minimum_n,
    overlapping_releases,
    touched.survey_id,
    answers.day,
    is_after,
    channel,
    product,
    coalesce(n, 0) as n,
    coalesce(effort_sum, 0) as effort_sum
from windows
inner join touched using (release_id)
left join meeting using (release_id)
left join answers using (release_id, survey_id)
order by release_id, survey_id, day, channel, product;
