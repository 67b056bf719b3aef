-- What happened to every landed row? landed = redelivered + superseded + accepted + rejected, per source.
select
    source_id,
    kind,
    landed,
    redelivered,
    superseded,
    accepted,
    rejected,
    round(rejected / nullif(accepted + rejected, 0), 4) as rejected_share
from feed_books
order by source_id;
