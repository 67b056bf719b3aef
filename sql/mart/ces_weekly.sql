-- One row per week x survey x channel x persona x product x stage with at least one scored response.
-- Answers: how did effort change from week to week? Weeks begin on Monday, business zone. It pools the sums of
-- `mart.ces_daily`, so a day that is too small to be shown still counts here. A null figure has fewer answers than the
-- minimum n. A week that deliveries do not cover completely says so (`is_whole_week`).
with answers as (
    select day from core.responses
),

deliveries as (
    select received_at from audit.deliveries
),

sums as (
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

select
    figures.*,
    coalesce(first_day <= week and week + 6 <= last_complete_day, false) as is_whole_week
from top_two_figures('sums') as figures
cross join (select min(day) as first_day from mart.ces_daily)
cross join complete_answers('answers', 'deliveries')
order by week, survey_id, channel, persona, product, journey_stage;
