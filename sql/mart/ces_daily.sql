-- One row per day x survey x channel x persona x product x stage with at least one scored response.
with scored as (
    -- Ease has at most six decimals: sums of decimals are exact, so the order of the rows never changes a mean.
    select
        day,
        survey_id,
        channel,
        persona,
        product,
        journey_stage,
        is_suspect,
        effort_band,
        scale_id,
        ease_0_100 >= top_two_least_ease_0_100 as is_top_two,
        ease_0_100::decimal(9, 6) as ease
    from core.responses
    left join reference.scales using (scale_id)
    where ease_0_100 is not null
),

sums as (
    select
        day,
        survey_id,
        channel,
        persona,
        product,
        journey_stage,
        count(*) as n,
        count(*) filter (is_suspect) as n_suspect,
        sum(ease)::double as ease_sum,
        sum(ease * ease)::double as ease_square_sum,
        count(*) filter (effort_band = 'easy') as easy_count,
        count(*) filter (effort_band = 'neutral') as neutral_count,
        count(*) filter (effort_band = 'difficult') as difficult_count,
        count(*) filter (is_top_two) as top_two_count,
        min(scale_id) as first_scale_id,
        max(scale_id) as last_scale_id
    from scored
    group by all
)

select figures.*
from top_two_figures('sums') as figures
order by day, survey_id, channel, persona, product, journey_stage;
