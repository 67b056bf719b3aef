-- blocking of mart.ticket_effort: The tickets of these marts do not match `core.tickets`, or categories or kinds of handling do not add up to all tickets. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with counted as (
    select
        'mart.ticket_effort' as mart,
        (select count(*) from mart.ticket_effort) as counted,
        (select count(*) from core.tickets) as expected
    union all
    select
        'mart.link_coverage_daily' as mart,
        (select sum(resolved_tickets) from mart.link_coverage_daily) as counted,
        (select count(resolved_day) from mart.ticket_effort where not is_deleted) as expected
    union all
    select
        'mart.category_effort, ' || period as mart,
        sum(tickets) as counted,
        (select count(resolved_day) from mart.ticket_effort where not is_deleted) as expected
    from mart.category_effort
    group by period
    union all
    select
        'mart.handling_effort, ' || period as mart,
        sum(tickets) as counted,
        (select count(resolved_day) from mart.ticket_effort where not is_deleted) as expected
    from mart.handling_effort
    group by period
)

select
    mart,
    coalesce(counted, 0) as counted,
    expected
from counted
where coalesce(counted, 0) <> expected
order by mart;
