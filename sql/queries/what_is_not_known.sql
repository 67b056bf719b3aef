-- What do we not know about the answers? Known share of each tag, over all days, lowest first.
select
    tag,
    sum(responses)::bigint as responses,
    sum(not_known)::bigint as not_known,
    round(sum(known) / sum(responses), 3) as known_share
from mart.tag_coverage_daily
group by tag
order by known_share, tag;
