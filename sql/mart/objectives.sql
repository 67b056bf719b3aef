-- One row per registered objective: its progress.
-- Answers: do we reach our targets? The value is of the newest 28 days with data after the baseline: figures of
-- answers and shares pool these days by their counts, other metrics have their newest value. The value decides the
-- state; the interval is shown next to it. A null value: `why_null` gives the reason.
with answer_days as (
    select
        objective_id,
        period_start as day,
        n,
        ease_sum_0_100::decimal(18, 6) as ease_sum,
        ease_square_sum_0_100::decimal(24, 6) as ease_square_sum,
        easy_count,
        difficult_count,
        top_two_count,
        first_scale_id,
        last_scale_id
    from reference.objectives
    inner join mart.ces_segments using (dimension, segment)
    where period = 'day' and period_start > baseline_day
    qualify day > max(day) over (partition by objective_id) - 28
),

answers as (
    select
        objective_id,
        min(day) as first_day,
        max(day) as last_day,
        sum(n)::bigint as answers,
        sum(ease_sum)::double as ease_sum_0_100,
        sum(ease_square_sum)::double as ease_square_sum_0_100,
        sum(easy_count)::bigint as easy,
        sum(difficult_count)::bigint as difficult,
        sum(top_two_count)::bigint as top_two,
        min(first_scale_id) <> max(last_scale_id) as is_mixed_scales
    from answer_days
    group by objective_id
),

moments as (
    select
        objective_id,
        figure,
        first_day,
        last_day,
        answers as n,
        easy,
        difficult,
        top_two,
        is_mixed_scales,
        ease_sum_0_100 / answers as mean_ease,
        mean_low(answers, ease_sum_0_100, ease_square_sum_0_100) as ease_low,
        mean_high(answers, ease_sum_0_100, ease_square_sum_0_100) as ease_high
    from answers
    inner join reference.objectives using (objective_id)
),

answer_figures as (
    select
        objective_id,
        moments.first_day,
        moments.last_day,
        n,
        is_mixed_scales,
        case figure
            when 'mean_effort_0_100' then 100 - mean_ease
            when 'mean_ease_0_100' then mean_ease
            when 'easy_share' then easy / n
            when 'top_two_share' then top_two / n
            when 'difficult_share' then difficult / n
            when 'net_ease' then (easy - difficult) / n
        end as value,
        case figure
            when 'mean_effort_0_100' then 100 - ease_high
            when 'mean_ease_0_100' then ease_low
            when 'easy_share' then share_low(easy, n)
            when 'top_two_share' then share_low(top_two, n)
            when 'difficult_share' then share_low(difficult, n)
            when 'net_ease' then net_low(easy, difficult, n)
        end as value_low,
        case figure
            when 'mean_effort_0_100' then 100 - ease_low
            when 'mean_ease_0_100' then ease_high
            when 'easy_share' then share_high(easy, n)
            when 'top_two_share' then share_high(top_two, n)
            when 'difficult_share' then share_high(difficult, n)
            when 'net_ease' then net_high(easy, difficult, n)
        end as value_high,
        n < minimum_n as is_suppressed
    from moments
    cross join reference.settings
),

metric_days as (
    select
        objective_id,
        program.day,
        program.state,
        program.why_null,
        program.n,
        program.counted,
        program.value,
        program.value_low,
        program.value_high
    from reference.objectives
    inner join mart.program_metrics as program
        on objectives.figure = program.metric and objectives.segment = program.segment
    where dimension = 'programme' and program.day > baseline_day
),

-- Shares that count every row have a value on every day, and no interval.
pooled as (
    select
        objective_id,
        min(day) as first_day,
        max(day) as last_day,
        sum(n)::bigint as rows_pooled,
        sum(counted)::bigint as rows_counted,
        bool_and(state = 'measured' and value_low is null) as is_of_all
    from (
        select metric_days.*
        from metric_days
        where state <> 'not measurable yet' and counted is not null
        qualify day > max(day) over (partition by objective_id) - 28
    )
    group by objective_id
),

newest as (
    select metric_days.*
    from metric_days
    where counted is null and state <> 'not measurable yet'
    qualify row_number() over (partition by objective_id order by day desc) = 1
),

metric_figures as (
    select
        objective_id,
        pooled.first_day,
        pooled.last_day,
        rows_pooled as n,
        rows_counted / rows_pooled as value,
        case when not is_of_all then share_low(rows_counted, rows_pooled) end as value_low,
        case when not is_of_all then share_high(rows_counted, rows_pooled) end as value_high,
        rows_pooled < minimum_n and not is_of_all as is_suppressed
    from pooled
    cross join reference.settings
    union all
    select
        objective_id,
        day as first_day,
        day as last_day,
        n,
        value,
        value_low,
        value_high,
        state = 'suppressed' as is_suppressed
    from newest
),

unmeasured as (
    select
        objective_id,
        arg_max(why_null, day) as why
    from metric_days
    group by objective_id
),

figures as (
    select answer_figures.* from answer_figures
    union all by name
    select metric_figures.* from metric_figures
),

described as (
    select
        objectives.objective_id,
        objectives.title,
        objectives.figure,
        objectives.dimension,
        objectives.segment,
        objectives.unit,
        objectives.owner,
        objectives.sponsor,
        objectives.baseline,
        objectives.baseline_day,
        objectives.target,
        objectives.target_day,
        figures.first_day,
        figures.last_day,
        figures.n,
        coalesce(is_mixed_scales, false) as is_mixed_scales,
        is_suppressed,
        shown(is_suppressed, figures.value) as shown,
        shown(is_suppressed, value_low) as shown_low,
        shown(is_suppressed, value_high) as shown_high,
        (shown - baseline) / (target - baseline) as way_share,
        case
            when last_day is not null then least((last_day - baseline_day) / (target_day - baseline_day), 1)
        end as time_share,
        coalesce(unmeasured.why, 'no figure of a day later than the baseline') as why
    from reference.objectives
    left join figures using (objective_id)
    left join unmeasured using (objective_id)
)

select
    objective_id,
    title,
    figure,
    dimension,
    segment,
    unit,
    owner,
    sponsor,
    first_day,
    last_day,
    n,
    is_mixed_scales,
    shown as value,
    shown_low as value_low,
    shown_high as value_high,
    baseline,
    baseline_day,
    target,
    target_day,
    way_share,
    time_share,
    case
        when last_day is null then 'not measurable yet'
        when is_suppressed then 'suppressed'
        when way_share >= 1 then 'reached'
        when way_share >= time_share then 'on track'
        else 'behind'
    end as state,
    case when last_day is null then why when is_suppressed then 'fewer than the minimum n' end as why_null
from described
order by objective_id;
