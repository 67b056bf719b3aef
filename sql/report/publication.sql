-- What the report rests on: the publish, the days of the data, and what is waiting.
select
    published_at,
    business_time_zone,
    minimum_n,
    (select min(day) from core.responses) as first_day,
    (select max(day) from core.responses) as last_day,
    (select coalesce(sum(landed), 0)::bigint from audit.load_audit where is_current) as rows_landed,
    (select coalesce(sum(rejected), 0)::bigint from audit.load_audit where is_current) as rows_rejected,
    (select count(*) from audit.pending_days) as days_waiting
from reference.settings
left join audit.publication on true;
