-- One row per month (and all days) x survey (and all of them) x variant of the headline figures.
-- Answers: would the headline be the same with other rules? `headline` uses every accepted answer; `without suspect`
-- leaves out answers that a suspect rule marked; `with rejected` adds rejected answers with a score on their scale,
-- but no test answers. The differences are to the headline of the same row. Null: fewer answers than the minimum n.
with accepted as (
    select
        day,
        survey_id,
        effort_band,
        scale_id,
        ease_0_100::decimal(9, 6) as ease,
        is_suspect,
        false as is_rejected
    from core.responses
    where ease_0_100 is not null
),

rejected_answers as (
    select
        rejected_responses.day,
        rejected_responses.survey_id,
        coalesce(scale_changes.scale_id, surveys.scale_id) as scale_id,
        lower(trim(regexp_replace(landed ->> 'score', '\s+', ' ', 'g'))) as answer
    from core.rejected_responses
    inner join reference.surveys using (survey_id)
    asof left join reference.scale_changes
        on
            rejected_responses.survey_id = scale_changes.survey_id
            and rejected_responses.day >= scale_changes.first_day
    where not list_contains(reasons, 'test_response')
),

rejected_scores as (
    select
        rejected_answers.day,
        rejected_answers.survey_id,
        rejected_answers.scale_id,
        coalesce(try_cast(answer as double), scale_labels.score) as score
    from rejected_answers
    left join reference.scale_labels
        on rejected_answers.scale_id = scale_labels.scale_id and rejected_answers.answer = scale_labels.label
),

-- An answer off its scale has no effort. A slider's decimal lies between two integers.
rejected as (
    select
        rejected_scores.day,
        rejected_scores.survey_id,
        if(below.effort_band = above.effort_band, below.effort_band, 'neutral') as effort_band,
        rejected_scores.scale_id,
        (
            100 - below.effort_0_100
            - (above.effort_0_100 - below.effort_0_100) * (rejected_scores.score - below.score)
        )::decimal(9, 6) as ease,
        false as is_suspect,
        true as is_rejected
    from rejected_scores
    inner join reference.scales using (scale_id)
    inner join reference.scale_boxes as below
        on rejected_scores.scale_id = below.scale_id and floor(rejected_scores.score) = below.score
    inner join reference.scale_boxes as above
        on rejected_scores.scale_id = above.scale_id and ceil(rejected_scores.score) = above.score
    where scales.has_decimals or below.score = above.score
),

daily as (
    select
        day,
        survey_id,
        is_suspect,
        is_rejected,
        count(*) as n,
        sum(ease) as ease_sum,
        sum(ease * ease) as ease_square_sum,
        count(*) filter (effort_band = 'easy') as easy_count,
        count(*) filter (effort_band = 'neutral') as neutral_count,
        count(*) filter (effort_band = 'difficult') as difficult_count,
        count(*) filter (ease >= top_two_least_ease_0_100) as top_two_count,
        min(scale_id) as first_scale_id,
        max(scale_id) as last_scale_id
    from (
        select accepted.* from accepted
        union all by name
        select rejected.* from rejected
    )
    left join reference.scales using (scale_id)
    group by all
),

by_variant as (
    select 'headline' as variant, daily.* from daily where not is_rejected
    union all by name
    select 'without suspect' as variant, daily.* from daily where not is_rejected and not is_suspect
    union all by name
    select 'with rejected' as variant, daily.* from daily
),

by_series as (
    select by_variant.*, survey_id as series from by_variant
    union all by name
    select by_variant.*, 'all surveys' as series from by_variant
),

by_period as (
    select
        by_series.*,
        'month' as period,
        date_trunc('month', day)::date as period_start
    from by_series
    union all by name
    select
        by_series.*,
        'all' as period,
        (select min(day) from daily) as period_start
    from by_series
),

sums as (
    select
        period,
        period_start,
        series,
        variant,
        sum(n)::bigint as n,
        coalesce(sum(n) filter (is_suspect), 0)::bigint as n_suspect,
        sum(ease_sum)::double as ease_sum,
        sum(ease_square_sum)::double as ease_square_sum,
        sum(easy_count)::bigint as easy_count,
        sum(neutral_count)::bigint as neutral_count,
        sum(difficult_count)::bigint as difficult_count,
        sum(top_two_count)::bigint as top_two_count,
        min(first_scale_id) <> max(last_scale_id) as is_mixed_scales
    from by_period
    group by all
),

figures as (
    select effort.*
    from top_two_figures('sums') as effort
),

headlines as (
    select
        period,
        period_start,
        series,
        mean_ease_0_100 as headline_mean_ease,
        net_ease as headline_net_ease,
        easy_share as headline_easy_share
    from figures
    where variant = 'headline'
)

select
    figures.*,
    mean_ease_0_100 - headline_mean_ease as mean_ease_difference_0_100,
    easy_share - headline_easy_share as easy_share_difference,
    net_ease - headline_net_ease as net_ease_difference
from figures
left join headlines using (period, period_start, series)
order by period, period_start, series, variant;
