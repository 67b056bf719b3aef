-- One row per source: what happened to every landed row. landed = redelivered + superseded + accepted + rejected +
-- unlanded (taken back) + erased.
-- Rows of all days, by their latest cleaning. Null last_accepted_day and last_received_at: none yet.
-- column landed: Rows of all days in all deliveries so far; 0: none.
-- column unlanded: Of these, rows of deliveries that a command took back; 0: none.
-- column erased: Of these, rows of people who were erased; 0: none.
-- column last_accepted_day: Newest day with an accepted row; null: none yet.
-- column last_received_at: When its newest delivery landed; null: none yet.
with books as (
    select
        source_id,
        sum(landed)::bigint as landed,
        sum(redelivered)::bigint as redelivered,
        sum(superseded)::bigint as superseded,
        sum(accepted)::bigint as accepted,
        sum(rejected)::bigint as rejected,
        sum(unlanded)::bigint as unlanded,
        sum(erased)::bigint as erased,
        sum(suspect)::bigint as suspect,
        max(day) filter (accepted > 0) as last_accepted_day
    from audit.load_audit
    where is_current
    group by source_id
),

received as (
    select
        source_id,
        max(received_at) as last_received_at
    from audit.deliveries
    group by source_id
)

select
    sources.source_id,
    sources.kind,
    coalesce(books.landed, 0) as landed,
    coalesce(books.redelivered, 0) as redelivered,
    coalesce(books.superseded, 0) as superseded,
    coalesce(books.accepted, 0) as accepted,
    coalesce(books.rejected, 0) as rejected,
    coalesce(books.unlanded, 0) as unlanded,
    coalesce(books.erased, 0) as erased,
    coalesce(books.suspect, 0) as suspect,
    books.last_accepted_day,
    received.last_received_at
from reference.sources
left join books using (source_id)
left join received using (source_id)
order by source_id;
