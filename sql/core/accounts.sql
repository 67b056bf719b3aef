-- One row per person and span of days on which one version of their account is used.
with versions as (
    select
        person_key,
        account_key,
        attributes,
        source_id,
        valid_from,
        valid_to,
        as_of,
        delivery_id,
        timezone(business_time_zone, valid_from)::date as began_on,
        timezone(business_time_zone, valid_to)::date as ended_on
    from core.account_versions
    cross join reference.settings
),

-- A day has one version: the last one that began on it.
last_of_day as (
    select versions.*
    from versions
    qualify row_number() over (
        partition by person_key, began_on
        order by valid_from desc, as_of desc, source_id desc, delivery_id desc
    ) = 1
),

spans as (
    select
        person_key,
        account_key,
        attributes,
        source_id,
        valid_from,
        least(valid_to, lead(valid_from) over in_order) as valid_to,
        case when row_number() over in_order = 1 then date '0001-01-01' else began_on end as from_day,
        least(ended_on, lead(began_on) over in_order) as until_day
    from last_of_day
    window in_order as (partition by person_key order by began_on)
)

select
    person_key,
    account_key,
    attributes,
    source_id,
    valid_from,
    valid_to,
    from_day,
    until_day
from spans
where until_day is null or until_day > from_day
order by person_key, from_day;
