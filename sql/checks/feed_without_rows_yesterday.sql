-- warning: These sources have no rows for yesterday. Ask the owner of the system for the export. If the source has ended, remove it from `registry/sources.yaml`.
select
    sources.source_id,
    -- Rows without a usable time belong to the day of their receipt, today.
    max(delivery_days.day) filter (delivery_days.day <= $yesterday) as newest_day
from reference.sources
left join audit.delivery_days using (source_id)
group by sources.source_id
having count(*) filter (delivery_days.day = $yesterday) = 0
order by sources.source_id;
