-- The weeks, months and quarters of each survey, each with the evidence of the change since the one before.
-- `period` is `week`, `month` or `quarter`; `answers` and `deliveries` name CTEs: the answers (survey_id, day,
-- scale_id, is_suspect, effort_band, ease_0_100) and the deliveries (received_at). One row per survey and period, from
-- the period of its first answer to that of the newest answer to any survey; a period without answers has n 0. Columns:
-- `period_start`; the sums that `top_two_figures` reads; `is_whole` (the survey was asked, and the data are complete,
-- on all its days); the sums of the period before (null: none); what the variance between days needs; and `why_null`,
-- the reason why no change is computed, unless the answers do not vary. `ces_pipeline.statistics.period_changes`
-- computes the changes.
create or replace temp macro period_change_evidence(period, answers, deliveries) as table
    with daily as (
        -- Ease has at most six decimals: sums of decimals are exact, so the order of the rows never changes a figure.
        select
            survey_id,
            day,
            date_trunc(period, day)::date as period_start,
            count(*) as n,
            count(*) filter (is_suspect) as n_suspect,
            sum(ease_0_100::decimal(9, 6)) as ease_sum,
            sum(ease_0_100::decimal(9, 6) * ease_0_100::decimal(9, 6)) as ease_square_sum,
            sum(ease_0_100::decimal(9, 6) * ease_0_100::decimal(9, 6) * ease_0_100::decimal(9, 6)) as ease_cube_sum,
            count(*) filter (effort_band = 'easy') as easy_count,
            count(*) filter (effort_band = 'neutral') as neutral_count,
            count(*) filter (effort_band = 'difficult') as difficult_count,
            count(*) filter (ease_0_100 >= top_two_least_ease_0_100) as top_two_count,
            min(scale_id) as first_scale_id,
            max(scale_id) as last_scale_id
        from query_table(answers)
        left join reference.scales using (scale_id)
        where ease_0_100 is not null
        group by all
    ),

    groups as (
        select
            survey_id,
            period_start,
            count(*) as days,
            sum(n)::bigint as n,
            sum(n_suspect)::bigint as n_suspect,
            sum(ease_sum)::double as ease_sum,
            sum(ease_square_sum)::double as ease_square_sum,
            sum(ease_cube_sum)::double as ease_cube_sum,
            sum(n * n)::double as day_n_square_sum,
            sum(ease_sum::double * ease_sum::double / n order by day) as day_ease_square_sum,
            sum(easy_count)::bigint as easy_count,
            sum(neutral_count)::bigint as neutral_count,
            sum(difficult_count)::bigint as difficult_count,
            sum(top_two_count)::bigint as top_two_count,
            min(daily.first_scale_id) as first_scale_id,
            max(daily.last_scale_id) as last_scale_id
        from daily
        group by all
    ),

    asked as (
        select
            survey_id,
            min(day) as first_answer_day,
            greatest(coalesce(any_value(live_from), min(day)), (select min(day) from daily)) as asked_from,
            any_value(live_to) as asked_to
        from daily
        left join reference.surveys using (survey_id)
        group by survey_id
    ),

    periods as (
        select
            asked.*,
            unnest(
                range(
                    date_trunc(period, first_answer_day),
                    (select max(period_start) from groups) + interval 1 day,
                    length_of(period)
                )
            )::date as period_start
        from asked
    ),

    worded as (
        select
            periods.survey_id,
            period_start,
            (period_start + length_of(period))::date as next_start,
            count(*) filter (first_day <= period_start) as changes_at_start,
            count(*) filter (first_day < next_start) as changes_at_end
        from periods
        left join reference.wording_changes using (survey_id)
        group by all
    ),

    filled as (
        select
            survey_id,
            period_start,
            first_scale_id,
            last_scale_id,
            coalesce(days, 0) as days,
            coalesce(n, 0) as n,
            coalesce(n_suspect, 0) as n_suspect,
            coalesce(ease_sum, 0) as ease_sum,
            coalesce(ease_square_sum, 0) as ease_square_sum,
            coalesce(ease_cube_sum, 0) as ease_cube_sum,
            coalesce(day_n_square_sum, 0) as day_n_square_sum,
            coalesce(day_ease_square_sum, 0) as day_ease_square_sum,
            coalesce(easy_count, 0) as easy_count,
            coalesce(neutral_count, 0) as neutral_count,
            coalesce(difficult_count, 0) as difficult_count,
            coalesce(top_two_count, 0) as top_two_count,
            coalesce(first_scale_id <> last_scale_id, false) as is_mixed_scales,
            next_start,
            changes_at_start,
            changes_at_end,
            asked_from <= period_start
            and next_start <= coalesce(asked_to, last_complete_day) + 1
            and next_start <= last_complete_day + 1 as is_whole,
            changes_at_end > changes_at_start and n > 0 as is_mixed_wordings
        from periods
        inner join worded using (survey_id, period_start)
        cross join complete_answers(answers, deliveries)
        left join groups using (survey_id, period_start)
        where coalesce(n, 0) > 0 or period_start <= coalesce(asked_to, period_start)
    ),

    compared as (
        select
            filled.* exclude (next_start, changes_at_start, changes_at_end),
            lag(n) over survey as n_before,
            lag(ease_sum) over survey as ease_sum_0_100_before,
            lag(ease_square_sum) over survey as ease_square_sum_0_100_before,
            lag(ease_cube_sum) over survey as ease_cube_sum_before,
            lag(day_n_square_sum) over survey as day_n_square_sum_before,
            case
                when not coalesce(is_whole, false) then period || ' not complete'
                when lag(n) over survey is null then 'no ' || period || ' before'
                when not coalesce(lag(is_whole) over survey, false) then period || ' before not complete'
                when changes_at_end > lag(changes_at_start) over survey then 'reworded'
                when n < minimum_n then 'suppressed'
                when lag(n) over survey < minimum_n then period || ' before suppressed'
                when
                    least(first_scale_id, lag(first_scale_id) over survey)
                    <> greatest(last_scale_id, lag(last_scale_id) over survey)
                    then 'other scale'
            end as why_null
        from filled
        cross join reference.settings
        window survey as (partition by survey_id order by period_start)
    )

    select
        compared.* exclude (is_whole),
        coalesce(is_whole, false) as is_whole
    from compared;
