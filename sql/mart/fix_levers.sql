-- One row per lever: the combined result of the fixes of its kind.
-- Answers: which kind of fix lowers effort and tickets? Each change is that of the fix by `difference in differences`.
-- Fixes without a lever count as `untagged`. Sums of changes include only fixes that could be measured. A null figure:
-- none could be measured.
with effort as (
    select
        fix_id,
        verdict as effort_verdict,
        overlapping_fixes is not null as is_overlapping,
        change_effort_0_100 as change,
        (change_high_0_100 - change_low_0_100) / 2 as half_width
    from mart.fix_impact
    where method = 'difference in differences'
),

tickets as (
    select
        fix_id,
        verdict as tickets_verdict
    from mart.fix_ticket_impact
    where method = 'difference in differences'
),

sums as (
    select
        lever,
        count(*) as fixes,
        count(cost) as fixes_with_cost,
        sum(cost order by fix_id) as cost,
        count(*) filter (is_overlapping) as overlapping,
        count(change) as effort_measured,
        count(*) filter (effort_verdict = 'improved') as effort_improved,
        count(*) filter (effort_verdict = 'worsened') as effort_worsened,
        count(*) filter (effort_verdict = 'no change shown') as effort_no_change_shown,
        count(*) filter (effort_verdict = 'not enough data') as effort_not_enough_data,
        sum(change order by fix_id) as effort_change_sum_0_100,
        sqrt(sum(half_width * half_width order by fix_id)) as half_width,
        count(*) filter (tickets_verdict = 'improved') as tickets_improved,
        count(*) filter (tickets_verdict = 'worsened') as tickets_worsened,
        count(*) filter (tickets_verdict = 'no change shown') as tickets_no_change_shown,
        count(*) filter (tickets_verdict = 'not enough data') as tickets_not_enough_data
    from reference.fixes
    inner join effort using (fix_id)
    inner join tickets using (fix_id)
    group by lever
)

select
    sums.* exclude (half_width),
    effort_change_sum_0_100 - half_width as effort_change_sum_low_0_100,
    effort_change_sum_0_100 + half_width as effort_change_sum_high_0_100
from sums
order by lever;
