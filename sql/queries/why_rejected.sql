-- Why are answers rejected? Rows per source and reason, most first; a row with two reasons counts in both.
select
    source_id,
    reason,
    means,
    count(*) as rejected_rows
from (select source_id, unnest(reasons) as reason from core.rejected_responses)
left join reference.reasons using (reason)
group by all
order by rejected_rows desc, source_id, reason;
