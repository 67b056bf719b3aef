-- One row per day x survey x channel x persona x product x stage with at least one scored response.
with scored as (
    -- Ease has at most six decimals: as a decimal its sums are exact, so no order of the rows changes a mean.
    select
        day,
        survey_id,
        channel,
        persona,
        product,
        journey_stage,
        is_suspect,
        effort_band,
        ease_0_100::decimal(9, 6) as ease
    from core.responses
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
        count(*) filter (effort_band = 'difficult') as difficult_count
    from scored
    group by all
),

moments as (
    select
        sums.*,
        n < minimum_n as is_suppressed,
        ease_sum / n as mean_ease,
        sample_sd(n, ease_sum, ease_square_sum) as sd_ease,
        mean_half_width(n, sd_ease) as half_width
    from sums
    cross join reference.settings
),

final as (
    select
        day,
        survey_id,
        channel,
        persona,
        product,
        journey_stage,
        n,
        n_suspect,
        shown(is_suppressed, 100 - mean_ease) as mean_effort_0_100,
        shown(is_suppressed, mean_ease) as mean_ease_0_100,
        shown(is_suppressed, sd_ease) as sd_ease_0_100,
        shown(is_suppressed, ease_low(mean_ease, half_width)) as ease_low_0_100,
        shown(is_suppressed, ease_high(mean_ease, half_width)) as ease_high_0_100,
        easy_count,
        neutral_count,
        difficult_count,
        shown(is_suppressed, easy_count / n) as easy_share,
        shown(is_suppressed, share_low(easy_count, n)) as easy_share_low,
        shown(is_suppressed, share_high(easy_count, n)) as easy_share_high,
        shown(is_suppressed, difficult_count / n) as difficult_share,
        shown(is_suppressed, share_low(difficult_count, n)) as difficult_share_low,
        shown(is_suppressed, share_high(difficult_count, n)) as difficult_share_high,
        shown(is_suppressed, (easy_count - difficult_count) / n) as net_ease,
        shown(is_suppressed, net_low(easy_count, difficult_count, n)) as net_ease_low,
        shown(is_suppressed, net_high(easy_count, difficult_count, n)) as net_ease_high,
        is_suppressed,
        ease_sum as ease_sum_0_100,
        ease_square_sum as ease_square_sum_0_100
    from moments
)

select
    day,
    survey_id,
    channel,
    persona,
    product,
    journey_stage,
    n,
    n_suspect,
    mean_effort_0_100,
    mean_ease_0_100,
    sd_ease_0_100,
    ease_low_0_100,
    ease_high_0_100,
    easy_count,
    neutral_count,
    difficult_count,
    easy_share,
    easy_share_low,
    easy_share_high,
    difficult_share,
    difficult_share_low,
    difficult_share_high,
    net_ease,
    net_ease_low,
    net_ease_high,
    is_suppressed,
    ease_sum_0_100,
    ease_square_sum_0_100
from final
order by day, survey_id, channel, persona, product, journey_stage;
