-- What happened to every landed row: accepted, rejected, redelivered, superseded, taken back or erased.
select
    source_id,
    kind,
    landed,
    accepted,
    rejected,
    suspect,
    redelivered,
    superseded,
    unlanded,
    erased,
    last_accepted_day
from feed_books
order by source_id;
