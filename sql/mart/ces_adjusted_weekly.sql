-- One row per series x stretch without a changed wording x week with at least one scored response.
-- Answers: did effort change, or only the mix of respondents? Next to the raw mean it gives the mean that the week
-- would have with the channel mix of its full stretch (direct standardisation; the series `all surveys` holds survey
-- and channel constant). A changed wording ends a stretch: `break_number` counts the changes, and no comparison
-- crosses one. A null figure has fewer answers than the minimum n; a null change has no shown week before it.
with breaks as (
    select survey_id as series, first_day from reference.wording_changes
    union
    select 'all surveys' as series, first_day from reference.wording_changes
),

daily as (
    select survey_id as series, ces_daily.* from mart.ces_daily
    union all by name
    select 'all surveys' as series, ces_daily.* from mart.ces_daily
),

stretches as (
    select
        days.series,
        days.day,
        count(breaks.first_day) as break_number
    from (select distinct series, day from daily) as days
    left join breaks on days.series = breaks.series and days.day >= breaks.first_day
    group by all
),

cells as (
    select
        series,
        break_number,
        date_trunc('week', day)::date as week,
        survey_id,
        channel,
        sum(n)::bigint as n,
        min(first_scale_id) as first_scale_id,
        max(last_scale_id) as last_scale_id,
        sum(ease_sum_0_100::decimal(18, 6))::double as ease_sum,
        sum(ease_square_sum_0_100::decimal(24, 6))::double as ease_square_sum
    from daily
    inner join stretches using (series, day)
    group by all
),

-- The mix of the full stretch, and the variance of the answers of a cell within a week.
standard as (
    select
        series,
        break_number,
        survey_id,
        channel,
        sum(n) as cell_n,
        sum(ease_square_sum - ease_sum * ease_sum / n order by week) / nullif(sum(n) - count(*), 0) as variance
    from cells
    group by all
),

stretch_sizes as (
    select
        series,
        break_number,
        sum(n) as stretch_n
    from cells
    group by all
),

weighted as (
    select
        cells.*,
        cell_n / stretch_n as weight,
        ease_sum / n as cell_mean,
        case when variance is not null then greatest(variance, 0) end as variance,
        sum(cell_n) over (partition by series, break_number, week) / stretch_n as weight_covered_share
    from cells
    inner join standard using (series, break_number, survey_id, channel)
    inner join stretch_sizes using (series, break_number)
),

sums as (
    select
        series,
        break_number,
        week,
        sum(n)::bigint as n,
        min(first_scale_id) <> max(last_scale_id) as is_mixed_scales,
        sum(ease_sum order by survey_id, channel) as ease_sum,
        sum(ease_square_sum order by survey_id, channel) as ease_square_sum,
        any_value(weight_covered_share) as weight_covered_share,
        sum(weight / weight_covered_share * cell_mean order by survey_id, channel) as adjusted_ease,
        sum(pow(weight / weight_covered_share, 2) / n order by survey_id, channel) as weight_square_sum,
        case
            when count(variance) = count(*)
                then sqrt(sum(pow(weight / weight_covered_share, 2) * variance / n order by survey_id, channel))
        end as adjusted_error
    from weighted
    group by all
),

-- A release affects the surveys that it names, or those of its products; without both, all surveys.
markers as (
    select
        series,
        date_trunc('week', day)::date as week,
        string_agg(release_id, ', ' order by release_id) as releases
    from (
        select
            survey_id as series,
            day,
            release_id
        from reference.releases
        inner join reference.surveys
            on
                (len(survey_ids) = 0 or list_contains(survey_ids, survey_id))
                and (len(products) = 0 or product = 'unknown' or list_contains(products, product))
        union all
        select
            'all surveys' as series,
            day,
            release_id
        from reference.releases
    )
    group by all
),

shown as (
    select
        series,
        break_number,
        week,
        n,
        n < minimum_n as is_suppressed,
        is_mixed_scales,
        weight_covered_share,
        1 / weight_square_sum as effective_n,
        case when not is_suppressed then mean_low(n, ease_sum, ease_square_sum) end as raw_low,
        case when not is_suppressed then mean_high(n, ease_sum, ease_square_sum) end as raw_high,
        -- The interval of the effective n of unweighted answers with this mean and error.
        effective_n * adjusted_ease as effective_sum,
        effective_n * (effective_n * pow(adjusted_error, 2) + pow(adjusted_ease, 2)) as effective_square_sum,
        case
            when not is_suppressed then mean_low(effective_n, effective_sum, effective_square_sum)
        end as adjusted_low,
        case
            when not is_suppressed then mean_high(effective_n, effective_sum, effective_square_sum)
        end as adjusted_high,
        case when not is_suppressed then ease_sum / n end as raw_ease,
        case when not is_suppressed then adjusted_ease end as shown_adjusted_ease
    from sums
    cross join reference.settings
)

select
    series,
    break_number,
    week,
    break_number > 0 and lag(week) over stretch is null as is_after_break,
    n,
    is_mixed_scales,
    effective_n,
    weight_covered_share,
    raw_ease as raw_ease_0_100,
    raw_low as raw_ease_low_0_100,
    raw_high as raw_ease_high_0_100,
    shown_adjusted_ease as adjusted_ease_0_100,
    adjusted_low as adjusted_ease_low_0_100,
    adjusted_high as adjusted_ease_high_0_100,
    raw_ease - shown_adjusted_ease as mix_part_0_100,
    raw_ease - lag(raw_ease) over stretch as raw_change_0_100,
    shown_adjusted_ease - lag(shown_adjusted_ease) over stretch as adjusted_change_0_100,
    (raw_ease - lag(raw_ease) over stretch)
    - (shown_adjusted_ease - lag(shown_adjusted_ease) over stretch) as mix_change_0_100,
    is_suppressed,
    releases
from shown
left join markers using (series, week)
window stretch as (partition by series, break_number order by week)
order by series, break_number, week;
