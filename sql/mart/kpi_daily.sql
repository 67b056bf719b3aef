-- One row per day x survey with at least one answer on effort, satisfaction or recommendation.
-- Answers: how do effort, satisfaction and recommendation compare? They are never combined into one number. Each has
-- its own n. A null figure has fewer answers than the minimum n; an n of 0 means that it was not asked or not
-- answered.
with answers as (
    select
        day,
        survey_id,
        ease_0_100::decimal(9, 6) as ease,
        csat_0_100::decimal(9, 6) as csat,
        nps
    from core.responses
    where ease_0_100 is not null or csat_0_100 is not null or nps is not null
),

sums as (
    select
        day,
        survey_id,
        count(ease) as ease_n,
        sum(ease)::double as ease_sum,
        sum(ease * ease)::double as ease_square_sum,
        count(csat) as csat_n,
        sum(csat)::double as csat_sum,
        sum(csat * csat)::double as csat_square_sum,
        count(nps) as nps_n,
        count(*) filter (nps >= 9) as promoters,
        count(*) filter (nps between 7 and 8) as passives,
        count(*) filter (nps <= 6) as detractors
    from answers
    group by day, survey_id
),

moments as (
    select
        sums.*,
        ease_n >= minimum_n as shows_ease,
        csat_n >= minimum_n as shows_csat,
        nps_n >= minimum_n as shows_nps,
        ease_sum / ease_n as mean_ease,
        csat_sum / csat_n as mean_csat
    from sums
    cross join reference.settings
)

select
    day,
    survey_id,
    ease_n,
    case when shows_ease then mean_ease end as mean_ease_0_100,
    case when shows_ease then mean_low(ease_n, ease_sum, ease_square_sum) end as ease_low_0_100,
    case when shows_ease then mean_high(ease_n, ease_sum, ease_square_sum) end as ease_high_0_100,
    csat_n,
    case when shows_csat then mean_csat end as mean_csat_0_100,
    case when shows_csat then mean_low(csat_n, csat_sum, csat_square_sum) end as csat_low_0_100,
    case when shows_csat then mean_high(csat_n, csat_sum, csat_square_sum) end as csat_high_0_100,
    nps_n,
    promoters,
    passives,
    detractors,
    case when shows_nps then 100 * (promoters - detractors) / nps_n end as net_promoter_score,
    case when shows_nps then 100 * net_low(promoters, detractors, nps_n) end as net_promoter_score_low,
    case when shows_nps then 100 * net_high(promoters, detractors, nps_n) end as net_promoter_score_high
from moments
order by day, survey_id;
