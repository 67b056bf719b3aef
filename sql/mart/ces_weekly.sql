-- One row per week x survey x channel x persona x product x stage with at least one scored response.
-- Answers: how did effort change from week to week? Weeks begin on Monday, business zone. It pools the sums of
-- `mart.ces_daily`, so a day that is too small to be shown still counts here. A null figure has fewer answers than the
-- minimum n.
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
        -- Sums of decimals are exact, in any order of the days.
        sum(ease_sum_0_100::decimal(18, 6))::double as ease_sum,
        sum(ease_square_sum_0_100::decimal(24, 6))::double as ease_square_sum,
        sum(easy_count)::bigint as easy_count,
        sum(neutral_count)::bigint as neutral_count,
        sum(difficult_count)::bigint as difficult_count,
        sum(top_two_count)::bigint as top_two_count,
        min(first_scale_id) <> max(last_scale_id) as is_mixed_scales
    from mart.ces_daily
    group by all
)

select figures.*
from top_two_figures('sums') as figures
order by week, survey_id, channel, persona, product, journey_stage;
