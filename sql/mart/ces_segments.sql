-- One row per period x dimension x segment with at least one scored response.
-- Answers: how hard is it, and for whom? Every dimension splits the same answers: the n of its segments add up to that
-- of dimension `all`. Periods are `day`, `week` (from Monday), `month` and `all` days. A null figure has fewer answers
-- than the minimum n. If `is_mixed_scales` is true, a figure combines answers on different scales: it follows the mix of
-- the scales too, a share by their boxes and a mean by their length and question.
with cells as (
    -- All dimensions at once, so that the rows are read once. Ease has at most six decimals: sums of decimals are exact,
    -- so the order of the rows never changes a mean.
    select
        day,
        survey_id,
        channel,
        persona,
        product,
        device,
        journey_stage,
        process,
        language,
        scale_id,
        count(*) as n,
        count(*) filter (is_suspect) as n_suspect,
        sum(ease_0_100::decimal(9, 6)) as ease_sum,
        sum(ease_0_100::decimal(9, 6) * ease_0_100::decimal(9, 6)) as ease_square_sum,
        count(*) filter (effort_band = 'easy') as easy_count,
        count(*) filter (effort_band = 'neutral') as neutral_count,
        count(*) filter (effort_band = 'difficult') as difficult_count,
        count(*) filter (ease_0_100 >= top_two_least_ease_0_100) as top_two_count
    from core.responses
    left join reference.scales using (scale_id)
    where ease_0_100 is not null
    group by all
),

owned as (
    select
        cells.*,
        coalesce(owner, 'unknown') as owner
    from cells
    left join reference.surveys using (survey_id)
),

daily as (
    select
        day,
        case
            when grouping(survey_id) = 0 then 'survey'
            when grouping(channel) = 0 then 'channel'
            when grouping(persona) = 0 then 'persona'
            when grouping(product) = 0 then 'product'
            when grouping(device) = 0 then 'device'
            when grouping(journey_stage) = 0 then 'journey_stage'
            when grouping(process) = 0 then 'process'
            when grouping(language) = 0 then 'language'
            when grouping(owner) = 0 then 'owner'
            else 'all'
        end as dimension,
        coalesce(
            survey_id, channel, persona, product, device, journey_stage, process, language, owner, 'all'
        ) as segment,
        sum(n)::bigint as n,
        sum(n_suspect)::bigint as n_suspect,
        sum(ease_sum) as ease_sum,
        sum(ease_square_sum) as ease_square_sum,
        sum(easy_count)::bigint as easy_count,
        sum(neutral_count)::bigint as neutral_count,
        sum(difficult_count)::bigint as difficult_count,
        sum(top_two_count)::bigint as top_two_count,
        min(scale_id) as first_scale_id,
        max(scale_id) as last_scale_id
    from owned
    group by grouping sets (
        (day),
        (day, survey_id),
        (day, channel),
        (day, persona),
        (day, product),
        (day, device),
        (day, journey_stage),
        (day, process),
        (day, language),
        (day, owner)
    )
),

by_period as (
    select 'day' as period, day as period_start, daily.* exclude (day) from daily
    union all by name
    select 'week' as period, date_trunc('week', day)::date as period_start, daily.* exclude (day) from daily
    union all by name
    select 'month' as period, date_trunc('month', day)::date as period_start, daily.* exclude (day) from daily
    union all by name
    select 'all' as period, (select min(day) from daily) as period_start, daily.* exclude (day) from daily
),

sums as (
    select
        period,
        period_start,
        dimension,
        segment,
        sum(n)::bigint as n,
        sum(n_suspect)::bigint as n_suspect,
        sum(ease_sum)::double as ease_sum,
        sum(ease_square_sum)::double as ease_square_sum,
        sum(easy_count)::bigint as easy_count,
        sum(neutral_count)::bigint as neutral_count,
        sum(difficult_count)::bigint as difficult_count,
        sum(top_two_count)::bigint as top_two_count,
        min(by_period.first_scale_id) as first_scale_id,
        max(by_period.last_scale_id) as last_scale_id,
        min(by_period.first_scale_id) <> max(by_period.last_scale_id) as is_mixed_scales
    from by_period
    group by all
)

select figures.*
from top_two_figures('sums') as figures
order by period, period_start, dimension, segment;
