-- What each fix changed, by every method. Effort: below 0 is easier.
select
    impact.fix_id,
    fixes.title,
    fixes.live_on,
    impact.method,
    impact.n_before,
    impact.n_after,
    impact.change_effort_0_100,
    impact.change_low_0_100,
    impact.change_high_0_100,
    impact.verdict,
    impact.why
from mart.fix_impact as impact
inner join reference.fixes as fixes using (fix_id)
where fixes.live_on <= $period_end
order by fixes.live_on desc, impact.fix_id, impact.method;
