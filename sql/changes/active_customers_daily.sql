-- mart.active_customers_daily follows the days on which a changed ticket was opened or a changed answer was given, and the
-- six days after them; all days where accounts are known; and the days between the old and the new first or last day.

-- replaces day in (select day from scope)
-- scope
with touched as (
    select timezone(business_time_zone, created_at)::date as day
    from changed.tickets
    cross join reference.settings
    where created_at is not null
    union all
    select day from changed.responses
),

ends as (
    select
        least(
            (
                select timezone(any_value(business_time_zone), min(created_at))::date
                from core.tickets
                cross join reference.settings
                where requester_key is not null and not is_deleted
            ),
            (select min(day) from core.responses where respondent_key is not null),
            (select min(greatest(from_day, valid_from::date - 1)) from core.accounts)
        ) as first_day,
        (select max(day) from mart.category_daily) as last_day
),

have_accounts as (
    select count(*) > 0 as is_so
    from (
        select account_key from core.accounts
        union all
        select account_key from changed.accounts
    )
)

select unnest(generate_series(min(day), max(day) + 6, interval 1 day))::date as day from touched
union
select day from mart.active_customers_daily
cross join ends
cross join have_accounts
where is_so or coalesce(day < first_day or day > last_day, true)
union
select unnest(generate_series(first_day, last_day, interval 1 day))::date as day from ends
where (select is_so from have_accounts)
union
(
    select unnest(generate_series(first_day, last_day, interval 1 day))::date as day from ends
    except
    select day from mart.active_customers_daily
);

-- input core.tickets
-- With the first ticket: the query numbers the days from the first contact on.
select
    created_at,
    requester_key,
    is_deleted
from core.tickets
where
    created_at between (select min(day) - 8 from scope) and (select max(day) + 2 from scope)
    or created_at = (
        select min(created_at) from core.tickets
        where requester_key is not null and not is_deleted
    );

-- input core.responses
select
    day,
    respondent_key
from core.responses
where
    day between (select min(day) - 7 from scope) and (select max(day) from scope)
    or day = (
        select min(day) from core.responses
        where respondent_key is not null
    );
