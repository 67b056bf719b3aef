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
        landed - coalesce(unlanded, 0) - coalesce(erased, 0) as landed,
        superseded
    from audit.load_audit
    where kind = 'survey' and is_current
),

stale as (
    select
        day,
        true as is_stale
    from audit.pending_days
    where kind = 'survey'
),

-- A day that must be cleaned again is shown as it was last cleaned, so that its row still adds up; a day that was never
-- cleaned is left out.
days as (
    select
        day,
        source_id,
        case when stale.is_stale then judged.landed else landed.landed end as landed,
        coalesce(judged.superseded, 0) as superseded
    from landed
    full join judged using (day, source_id)
    left join stale using (day)
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

-- One column per rule, in the order of `reference.reasons`: the names are those of the files in `ces_pipeline/rules/`.
reasons as (
    pivot reason_rows
    on reason in rule_reasons
    using count(*)
    group by day, source_id
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
    coalesce(columns(reasons.* exclude (day, source_id)), 0)
from days
left join accepted using (day, source_id)
left join rejected using (day, source_id)
left join reasons using (day, source_id)
where days.landed > 0
order by day, source_id;
