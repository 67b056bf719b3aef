-- What goes with effort in support? Rank correlation with the history of the tickets, strongest first, with a verdict; associations, not causes.
select
    driver,
    n,
    round(correlation, 3) as correlation,
    round(correlation_low, 3) as correlation_low,
    round(correlation_high, 3) as correlation_high,
    round(q_value, 4) as q_value,
    verdict
from mart.effort_drivers
where category = 'all tickets' and not is_suppressed
order by abs(correlation) desc nulls last, driver;
