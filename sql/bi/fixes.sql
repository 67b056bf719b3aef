-- One row per fix and method: the change of effort after the fix, with its verdict or the reason for none.
-- column fix_key: Key of the row: fix and method.
select
    impact.fix_id || '/' || impact.method as fix_key,
    impact.fix_id,
    fixes.title as fix_title,
    fixes.live_on,
    fixes.lever,
    fixes.owner,
    impact.method,
    impact.n_before,
    impact.n_after,
    impact.before_effort_0_100,
    impact.after_effort_0_100,
    impact.change_effort_0_100,
    impact.change_low_0_100,
    impact.change_high_0_100,
    impact.verdict,
    impact.why,
    impact.is_complete
from mart.fix_impact as impact
left join reference.fixes as fixes using (fix_id)
order by fix_key;
