-- Checks that failed in the publish that the report reads.
select
    check_name,
    is_blocking,
    failures,
    detail
from audit.check_results
inner join audit.publication using (run_id)
where not passed
order by is_blocking desc, check_name;
