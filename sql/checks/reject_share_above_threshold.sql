-- warning of mart.quality_daily: On these days of the last week, the share of rejected rows is above `reject_share_warning`. See the reasons in `mart.quality_daily` (for tickets and other kinds in their `core.rejected_` table), then correct the export, its mapping or the rules of the survey.
with judged as (
    select
        day,
        source_id,
        accepted + rejected as judged,
        rejected_share
    from mart.quality_daily
    union all
    select
        day,
        source_id,
        accepted + rejected as judged,
        rejected / nullif(accepted + rejected, 0) as rejected_share
    from audit.load_audit
    where kind <> 'survey' and is_current
),

last_week as (
    select
        day,
        source_id,
        rejected_share
    from judged
    cross join reference.settings
    where
        rejected_share > reject_share_warning
        and judged >= minimum_n
        and day > (select max(day) from judged) - 7
)

select
    day,
    source_id,
    round(rejected_share, 3) as rejected_share
from last_week
order by day, source_id;
