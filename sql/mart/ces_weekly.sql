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
)

select figures.*
from effort_figures('sums') as figures
order by week, survey_id, channel, persona, product, journey_stage;
