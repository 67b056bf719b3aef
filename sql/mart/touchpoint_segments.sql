-- One row per survey x span x dimension x segment with at least one scored response.
-- Answers: within one survey, who has it harder? Every dimension splits the same answers: the n of its segments add up to
-- that of dimension `all`. Spans are each `week`, the `4 weeks` that end with it, `month`, `quarter`, and `all` days. A
-- null figure has fewer answers than the minimum n.
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

daily as (
    select
        day,
        survey_id,
        case
            when grouping(channel) = 0 then 'channel'
            when grouping(persona) = 0 then 'persona'
            when grouping(product) = 0 then 'product'
            when grouping(device) = 0 then 'device'
            when grouping(journey_stage) = 0 then 'journey_stage'
            when grouping(process) = 0 then 'process'
            when grouping(language) = 0 then 'language'
            else 'all'
        end as dimension,
        coalesce(channel, persona, product, device, journey_stage, process, language, 'all') as segment,
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
    from cells
    group by grouping sets (
        (day, survey_id),
        (day, survey_id, channel),
        (day, survey_id, persona),
        (day, survey_id, product),
        (day, survey_id, device),
        (day, survey_id, journey_stage),
        (day, survey_id, process),
        (day, survey_id, language)
    )
),

weekly as (
    select
        date_trunc('week', day)::date as week,
        survey_id,
        dimension,
        segment,
        sum(n)::bigint as n,
        sum(n_suspect)::bigint as n_suspect,
        sum(ease_sum) as ease_sum,
        sum(ease_square_sum) as ease_square_sum,
        sum(easy_count)::bigint as easy_count,
        sum(neutral_count)::bigint as neutral_count,
        sum(difficult_count)::bigint as difficult_count,
        sum(top_two_count)::bigint as top_two_count,
        min(daily.first_scale_id) as first_scale_id,
        max(daily.last_scale_id) as last_scale_id
    from daily
    group by all
),

by_span as (
    select
        'week' as span,
        week as span_start,
        weekly.* exclude (week)
    from weekly
    union all by name
    select
        '4 weeks' as span,
        (week - 7 * weeks_before)::date as span_start,
        weekly.* exclude (week)
    from weekly
    cross join (select unnest(range(4))::integer as weeks_before)
    -- Four weeks end with a week of the data.
    where week + 7 * (3 - weeks_before) <= (select max(week) from weekly)
    union all by name
    select
        'month' as span,
        date_trunc('month', day)::date as span_start,
        daily.* exclude (day)
    from daily
    union all by name
    select
        'quarter' as span,
        date_trunc('quarter', day)::date as span_start,
        daily.* exclude (day)
    from daily
    union all by name
    select
        'all' as span,
        min(day) over (partition by survey_id) as span_start,
        daily.* exclude (day)
    from daily
),

days_asked as (
    select
        survey_id,
        max(day) as newest_day
    from cells
    group by survey_id
),

totals as (
    select
        survey_id,
        span,
        span_start,
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
        min(by_span.first_scale_id) as first_scale_id,
        max(by_span.last_scale_id) as last_scale_id,
        min(by_span.first_scale_id) <> max(by_span.last_scale_id) as is_mixed_scales
    from by_span
    group by all
),

ended as (
    select
        totals.*,
        case span
            when 'week' then span_start + 6
            when '4 weeks' then span_start + 27
            when 'all' then newest_day
            else (span_start + length_of(span))::date - 1
        end as span_end
    from totals
    inner join days_asked using (survey_id)
),

sums as (
    select
        ended.*,
        exists(
            select 1 from reference.wording_changes as changes
            where
                changes.survey_id = ended.survey_id
                and changes.first_day > ended.span_start
                and changes.first_day <= ended.span_end
        ) as is_mixed_wordings
    from ended
)

select figures.*
from top_two_figures('sums') as figures
order by survey_id, span, span_start, dimension, segment;
