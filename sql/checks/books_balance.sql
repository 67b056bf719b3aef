-- blocking: On these days, rows were lost or counted twice. Run `ces doctor`, then clean the days again with `ces run --from DAY --to DAY`. If the check still fails, this is a bug: keep the lake folder and open an issue.
with landed as (
    select
        kind,
        day,
        source_id,
        sum(rows_landed) as rows_landed
    from audit.delivery_days
    group by all
),

accepted as (
    select 'survey' as kind, day, source_id, count(*) as accepted from core.responses group by all
    union all
    select 'tickets' as kind, day, source_id, count(*) as accepted from core.ticket_versions group by all
    union all
    select 'accounts' as kind, day, source_id, count(*) as accepted from core.account_versions group by all
    union all
    select 'invitations' as kind, day, source_id, count(*) as accepted from core.invitations group by all
    union all
    select 'events' as kind, day, source_id, count(*) as accepted from core.events group by all
    union all
    select 'follow_ups' as kind, day, source_id, count(*) as accepted from core.follow_ups group by all
),

rejected as (
    select 'survey' as kind, day, source_id, count(*) as rejected from core.rejected_responses group by all
    union all
    select 'tickets' as kind, day, source_id, count(*) as rejected from core.rejected_tickets group by all
    union all
    select 'accounts' as kind, day, source_id, count(*) as rejected from core.rejected_accounts group by all
    union all
    select 'invitations' as kind, day, source_id, count(*) as rejected from core.rejected_invitations group by all
    union all
    select 'events' as kind, day, source_id, count(*) as rejected from core.rejected_events group by all
    union all
    select 'follow_ups' as kind, day, source_id, count(*) as rejected from core.rejected_follow_ups group by all
),

cleaned as (
    select
        kind,
        day,
        source_id,
        landed,
        redelivered,
        landed_again,
        superseded,
        accepted,
        rejected,
        unlanded,
        erased
    from audit.load_audit
    where is_current
),

books as (
    select
        kind,
        day,
        source_id,
        coalesce(rows_landed, 0) as rows_landed,
        coalesce(cleaned.superseded, 0) as superseded,
        coalesce(cleaned.landed_again, 0) as landed_again,
        coalesce(accepted.accepted, 0) as accepted,
        coalesce(rejected.rejected, 0) as rejected,
        coalesce(cleaned.accepted, 0) as accepted_when_cleaned,
        coalesce(cleaned.rejected, 0) as rejected_when_cleaned,
        coalesce(
            cleaned.landed
            = cleaned.redelivered + cleaned.superseded + cleaned.accepted + cleaned.rejected
            + coalesce(cleaned.unlanded, 0) + coalesce(cleaned.erased, 0),
            true
        ) as cleaning_adds_up
    from landed
    full join cleaned using (kind, day, source_id)
    full join accepted using (kind, day, source_id)
    full join rejected using (kind, day, source_id)
)

select
    kind,
    day,
    source_id,
    rows_landed,
    superseded,
    landed_again,
    accepted,
    rejected
from books
anti join audit.pending_days using (kind, day)
where
    not cleaning_adds_up
    or accepted <> accepted_when_cleaned
    or rejected <> rejected_when_cleaned
    or rows_landed <> superseded + accepted + rejected + landed_again
order by kind, day, source_id;
