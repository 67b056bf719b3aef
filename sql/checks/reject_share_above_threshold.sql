-- warning: More rows than usual were rejected on these days of the last week. See their reasons in `mart.quality_daily`, then mend the export or the survey's rules.
with last_week as (
    select
        day,
        source_id,
        rejected_share
    from mart.quality_daily
    cross join reference.settings
    where
        rejected_share > reject_share_warning
        and accepted + rejected >= minimum_n
        and day > (select max(day) from mart.quality_daily) - 7
)

select
    day,
    source_id,
    round(rejected_share, 3) as rejected_share
from last_week
order by day, source_id;
