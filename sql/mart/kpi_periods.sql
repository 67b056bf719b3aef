-- One row per period x survey with at least one answer on satisfaction or recommendation.
-- Answers: what do satisfaction and recommendation say of the same time as effort? Periods are `week` (from Monday),
-- `month` and `quarter`. Each has its own n. A null figure has fewer answers than the minimum n; an n of 0 means that it
-- was not asked or not answered.
with daily as (
    -- Satisfaction has at most six decimals: sums of decimals are exact, so the order of the rows never changes a mean.
    select
        day,
        survey_id,
        count(csat_0_100) as csat_n,
        sum(csat_0_100::decimal(9, 6)) as csat_sum,
        sum(csat_0_100::decimal(9, 6) * csat_0_100::decimal(9, 6)) as csat_square_sum,
        count(nps) as nps_n,
        count(*) filter (nps >= 9) as promoters,
        count(*) filter (nps between 7 and 8) as passives,
        count(*) filter (nps <= 6) as detractors
    from core.responses
    where csat_0_100 is not null or nps is not null
    group by day, survey_id
),

sums as (
    select
        period,
        date_trunc(period, day)::date as period_start,
        survey_id,
        sum(csat_n)::bigint as csat_n,
        sum(csat_sum)::double as csat_sum,
        sum(csat_square_sum)::double as csat_square_sum,
        sum(nps_n)::bigint as nps_n,
        sum(promoters)::bigint as promoters,
        sum(passives)::bigint as passives,
        sum(detractors)::bigint as detractors
    from daily
    cross join (select unnest(['week', 'month', 'quarter']) as period)
    group by all
)

select
    period,
    period_start,
    survey_id,
    csat_n,
    shown(csat_n < minimum_n, csat_sum / csat_n) as mean_csat_0_100,
    shown(csat_n < minimum_n, mean_low(csat_n, csat_sum, csat_square_sum)) as csat_low_0_100,
    shown(csat_n < minimum_n, mean_high(csat_n, csat_sum, csat_square_sum)) as csat_high_0_100,
    nps_n,
    promoters,
    passives,
    detractors,
    shown(nps_n < minimum_n, 100 * (promoters - detractors) / nps_n) as net_promoter_score,
    shown(nps_n < minimum_n, 100 * net_low(promoters, detractors, nps_n)) as net_promoter_score_low,
    shown(nps_n < minimum_n, 100 * net_high(promoters, detractors, nps_n)) as net_promoter_score_high
from sums
cross join reference.settings
order by period, period_start, survey_id;
