-- warning: Versions of one account overlap in these feeds: by its own word one still held when the next began. The later one decides; mend `valid_from` or `valid_to` in the export.
with versions as (
    select
        source_id,
        person_key,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by person_key order by valid_from, as_of, delivery_id) as next_from
    from core.account_versions
)

select
    source_id,
    count(*) as "overlaps",
    count(distinct person_key) as accounts
from versions
where valid_to > next_from
group by source_id
order by source_id;
