-- One row per day and source with landed survey rows; landed = redelivered + superseded + accepted + rejected.
with landed as (
    select
        day,
        source_id,
        sum(rows_landed + rows_redelivered) as landed
    from audit.delivery_days
    where kind = 'survey'
    group by all
),

judged as (
    select
        day,
        source_id,
        landed,
        superseded
    from audit.load_audit
    where kind = 'survey' and is_current
),

waiting as (
    select
        day,
        true as is_waiting
    from audit.pending_days
    where kind = 'survey'
),

-- A day that waits to be cleaned again is shown as it was last cleaned, so that its row still adds up; one that was
-- never cleaned is left out.
days as (
    select
        day,
        source_id,
        case when waiting.is_waiting then judged.landed else landed.landed end as landed,
        coalesce(judged.superseded, 0) as superseded
    from landed
    full join judged using (day, source_id)
    left join waiting using (day)
),

accepted as (
    select
        day,
        source_id,
        count(*) as accepted,
        count(*) filter (is_suspect) as suspect
    from core.responses
    group by all
),

rejected as (
    select
        day,
        source_id,
        count(*) as rejected
    from core.rejected_responses
    group by all
),

reason_rows as (
    select day, source_id, unnest(reasons) as reason from core.rejected_responses
    union all
    select day, source_id, unnest(flags) as reason from core.responses
),

reason_counts as (
    select
        day,
        source_id,
        reason,
        count(*) as n
    from reason_rows
    group by all
),

reasons as (
    select
        day,
        source_id,
        coalesce(sum(n) filter (reason = 'unreadable_row'), 0) as unreadable_row,
        coalesce(sum(n) filter (reason = 'unregistered_survey'), 0) as unregistered_survey,
        coalesce(sum(n) filter (reason = 'test_response'), 0) as test_response,
        coalesce(sum(n) filter (reason = 'incomplete'), 0) as incomplete,
        coalesce(sum(n) filter (reason = 'score_off_scale'), 0) as score_off_scale,
        coalesce(sum(n) filter (reason = 'unknown_answer'), 0) as unknown_answer,
        coalesce(sum(n) filter (reason = 'failed_attention_check'), 0) as failed_attention_check,
        coalesce(sum(n) filter (reason = 'too_fast'), 0) as too_fast,
        coalesce(sum(n) filter (reason = 'missing_time'), 0) as missing_time,
        coalesce(sum(n) filter (reason = 'time_order'), 0) as time_order,
        coalesce(sum(n) filter (reason = 'in_the_future'), 0) as in_the_future,
        coalesce(sum(n) filter (reason = 'duplicate'), 0) as duplicate,
        coalesce(sum(n) filter (reason = 'partial'), 0) as partial,
        coalesce(sum(n) filter (reason = 'fast_for_survey'), 0) as fast_for_survey,
        coalesce(sum(n) filter (reason = 'comment_contradicts'), 0) as comment_contradicts,
        coalesce(sum(n) filter (reason = 'shared_device'), 0) as shared_device,
        coalesce(sum(n) filter (reason = 'slow'), 0) as slow
    from reason_counts
    group by all
)

select
    day,
    source_id,
    days.landed::bigint as landed,
    (days.landed - days.superseded - coalesce(accepted, 0) - coalesce(rejected, 0))::bigint as redelivered,
    days.superseded::bigint as superseded,
    coalesce(accepted, 0) as accepted,
    coalesce(rejected, 0) as rejected,
    coalesce(suspect, 0) as suspect,
    coalesce(rejected, 0) / nullif(coalesce(accepted, 0) + coalesce(rejected, 0), 0) as rejected_share,
    coalesce(suspect, 0) / nullif(accepted, 0) as suspect_share,
    coalesce(reasons.unreadable_row, 0)::bigint as unreadable_row,
    coalesce(reasons.unregistered_survey, 0)::bigint as unregistered_survey,
    coalesce(reasons.test_response, 0)::bigint as test_response,
    coalesce(reasons.incomplete, 0)::bigint as incomplete,
    coalesce(reasons.score_off_scale, 0)::bigint as score_off_scale,
    coalesce(reasons.unknown_answer, 0)::bigint as unknown_answer,
    coalesce(reasons.failed_attention_check, 0)::bigint as failed_attention_check,
    coalesce(reasons.too_fast, 0)::bigint as too_fast,
    coalesce(reasons.missing_time, 0)::bigint as missing_time,
    coalesce(reasons.time_order, 0)::bigint as time_order,
    coalesce(reasons.in_the_future, 0)::bigint as in_the_future,
    coalesce(reasons.duplicate, 0)::bigint as duplicate,
    coalesce(reasons.partial, 0)::bigint as partial,
    coalesce(reasons.fast_for_survey, 0)::bigint as fast_for_survey,
    coalesce(reasons.comment_contradicts, 0)::bigint as comment_contradicts,
    coalesce(reasons.shared_device, 0)::bigint as shared_device,
    coalesce(reasons.slow, 0)::bigint as slow
from days
left join accepted using (day, source_id)
left join rejected using (day, source_id)
left join reasons using (day, source_id)
where days.landed > 0
order by day, source_id;
