-- One row per fix x method: tickets per active customer before and after it.
-- Answers: do fewer customers need to ask for help? `difference in differences` compares the weekly tickets with those
-- of the comparison categories, so growth of all tickets is no effect. `interrupted series` continues the trend of
-- tickets per customer. `plain before and after` compares unadjusted figures. Active customers are the accounts valid
-- at the end of the week, else the customers seen in it (`customers_basis`). A null figure: too few tickets, or no
-- customers known; `why` gives the reason.
with sums as (
    select
        fix_id,
        period,
        week_number,
        is_comparison,
        any_value(weeks_from_live) as weeks_from_live,
        any_value(active_customers) as active_customers,
        any_value(customers_basis) as customers_basis,
        sum(tickets)::bigint as tickets,
        count(*) as categories
    from mart.fix_weeks
    group by fix_id, period, week_number, is_comparison
)

select
    fixes.fix_id,
    fixes.triggered_on is not null as has_trigger,
    overlapping_fixes,
    smallest_ticket_change,
    fix_window_weeks,
    minimum_n,
    period,
    week_number,
    weeks_from_live,
    is_comparison,
    tickets,
    categories,
    active_customers,
    customers_basis
from reference.fixes
cross join reference.settings
inner join (select distinct fix_id, overlapping_fixes from mart.fix_impact) using (fix_id)
left join sums using (fix_id)
order by fix_id, week_number, is_comparison;
