-- Did the fix help? Change of effort after each fix, by every method, with its verdict or the reason for none.
select
    fix_id,
    method,
    n_before,
    n_after,
    weeks_needed,
    n_needed,
    round(change_effort_0_100, 1) as change_effort_0_100,
    round(change_low_0_100, 1) as change_low_0_100,
    round(change_high_0_100, 1) as change_high_0_100,
    verdict,
    why
from mart.fix_impact
order by fix_id, method;
