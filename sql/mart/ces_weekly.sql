-- One row per week x survey x channel x persona x product x stage with at least one scored response.
-- Answers: how did effort move from week to week? Weeks begin on Monday, business zone. It pools `mart.ces_daily` by its
-- sums, so a day too small to be shown counts here in full. A null figure is of fewer answers than the minimum n.
with sums as (
    select
        date_trunc('week', day)::date as week,
        survey_id,
        channel,
        persona,
        product,
        journey_stage,
        sum(n)::bigint as n,
        sum(n_suspect)::bigint as n_suspect,
        -- As decimals the sums are exact, in whatever order the days come.
        sum(ease_sum_0_100::decimal(18, 6))::double as ease_sum,
        sum(ease_square_sum_0_100::decimal(24, 6))::double as ease_square_sum,
        sum(easy_count)::bigint as easy_count,
        sum(neutral_count)::bigint as neutral_count,
        sum(difficult_count)::bigint as difficult_count
    from mart.ces_daily
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
        week,
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
    week,
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
order by week, survey_id, channel, persona, product, journey_stage;
