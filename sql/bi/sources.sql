-- One row per source: what became of its landed rows, and how fresh it is.
-- column source_key: Key of the row: the source.
-- column last_received_at: When its newest delivery landed, UTC; null: none yet.
select
    source_id as source_key,
    source_id,
    kind,
    landed,
    accepted,
    rejected,
    redelivered,
    superseded,
    suspect,
    last_accepted_day,
    last_received_at at time zone 'UTC' as last_received_at
from feed_books
order by source_key;
