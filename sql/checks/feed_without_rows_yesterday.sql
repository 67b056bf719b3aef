-- warning: These feeds brought no rows for yesterday. Ask the system's owner for the export, or end the feed by taking it out of `registry/sources.yaml`.
select
    sources.source_id,
    -- Rows without a usable time lie on the day of their receipt, today.
    max(delivery_days.day) filter (delivery_days.day <= $yesterday) as newest_day
from reference.sources
left join audit.delivery_days using (source_id)
group by sources.source_id
having count(*) filter (delivery_days.day = $yesterday) = 0
order by sources.source_id;
