-- warning of core.accounts: In these sources, versions of the same account overlap (one's `valid_to` is later than the next one's `valid_from`). The later version is used. Correct the dates in the export.
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
