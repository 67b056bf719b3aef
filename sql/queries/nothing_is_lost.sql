-- What happened to every landed row? Each is one of redelivered, superseded, accepted, rejected, taken back or erased.
select
    source_id,
    kind,
    landed,
    redelivered,
    superseded,
    accepted,
    rejected,
    unlanded,
    erased,
    landed - redelivered - superseded - accepted - rejected - unlanded - erased as lost,
    round(rejected / nullif(accepted + rejected, 0), 4) as rejected_share
from feed_books
order by source_id;
