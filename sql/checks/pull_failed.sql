-- warning: The newest pull of these sources failed. The rows that it landed stay, and the next pull continues from there. `ces doctor` shows whether the API is up.
select
    source_id,
    strftime(started_at at time zone 'UTC', '%Y-%m-%d %H:%M') as started_at,
    failure
from audit.pulls
where source_id in (select source_id from reference.sources where ended_on is null or ended_on >= $yesterday)
qualify row_number() over (partition by source_id order by started_at desc, pull_id desc) = 1 and failure is not null
order by source_id;
