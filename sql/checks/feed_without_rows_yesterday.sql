-- warning: These sources have no rows for yesterday. Ask the owner of the system for the export. If the source has ended, set `ended_on` in its entry of `registry/sources.yaml`: its rows stay.
select
    sources.source_id,
    -- Rows without a usable time belong to the day of their receipt, today.
    max(delivery_days.day) filter (delivery_days.day <= $yesterday) as newest_day
from reference.sources
left join audit.delivery_days using (source_id)
where sources.ended_on is null or sources.ended_on >= $yesterday
group by sources.source_id
having count(*) filter (delivery_days.day = $yesterday) = 0
order by sources.source_id;
