-- One row per rejected row and reason, with its export: errors that can be corrected at the source.
-- A row with two reasons is listed twice. A row leaves the view when the source delivers it corrected, or when the
-- registry is corrected. Null `means`: a reason of rows other than answers. Null `file_name`: the delivery is not
-- known.
-- column kind: Kind of source: `survey`, `tickets`, `accounts`, `invitations`, `events` or `follow_ups`.
-- column day: The day that the row belongs to.
-- column source_id: The source that delivered it.
-- column reason: Why it was rejected: one of its reasons.
-- column means: When this reason applies; null: a reason of rows other than answers.
-- column file_name: Name of the file, redacted; null: the delivery is not known.
-- column row_number: Its row in that file.
with quarantine as (
    select 'survey' as kind, day, source_id, reasons, delivery_id, row_number from core.rejected_responses
    union all
    select 'tickets' as kind, day, source_id, reasons, delivery_id, row_number from core.rejected_tickets
    union all
    select 'accounts' as kind, day, source_id, reasons, delivery_id, row_number from core.rejected_accounts
    union all
    select 'invitations' as kind, day, source_id, reasons, delivery_id, row_number from core.rejected_invitations
    union all
    select 'events' as kind, day, source_id, reasons, delivery_id, row_number from core.rejected_events
    union all
    select 'follow_ups' as kind, day, source_id, reasons, delivery_id, row_number from core.rejected_follow_ups
),

broken as (
    select
        kind,
        day,
        source_id,
        unnest(reasons) as reason,
        delivery_id,
        row_number
    from quarantine
)

select
    broken.kind,
    broken.day,
    broken.source_id,
    broken.reason,
    reasons.means,
    deliveries.file_name,
    broken.row_number
from broken
left join reference.reasons using (reason)
left join audit.deliveries using (source_id, delivery_id)
order by kind, day, source_id, file_name, row_number, reason;
