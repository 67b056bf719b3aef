-- One row per day: customers of that day.
-- Answers: how many customers could have asked for help? If accounts are known, the customers whose account was valid
-- on the day; else the customers with a ticket or an answer in the seven days that end with it. It is the denominator
-- of tickets per active customer.
with opened as (
    select
        epoch_us(created_at) // 900000000 as quarter,
        hash(requester_key) as person
    from core.tickets
    where requester_key is not null and created_at is not null and not is_deleted
),

-- In every zone a day begins on a quarter of an hour: only few instants must be assigned to a day.
quarters as (
    select
        quarter,
        timezone(business_time_zone, make_timestamptz(quarter * 900000000))::date as day
    from (select distinct quarter from opened)
    cross join reference.settings
),

seen as (
    select
        day,
        person
    from opened
    inner join quarters using (quarter)
    union all
    select
        day,
        hash(respondent_key) as person
    from core.responses
    where respondent_key is not null
),

gaps as (
    select
        day,
        lag(day) over person_days as earlier_day,
        lead(day) over person_days as later_day
    from seen
    window person_days as (partition by person order by day)
),

-- A customer counts from the first day of a run of nearby days until seven days after its last day.
seen_changes as (
    select
        day,
        1 as change
    from gaps
    where earlier_day is null or day - earlier_day > 6
    union all
    select
        day + 7 as day,
        -1 as change
    from gaps
    where later_day is null or later_day - day > 6
),

account_changes as (
    select
        greatest(from_day, timezone(business_time_zone, valid_from)::date) as day,
        1 as change
    from core.accounts
    cross join reference.settings
    union all
    select
        until_day as day,
        -1 as change
    from core.accounts
    where until_day is not null
),

basis as (
    select case when count(*) > 0 then 'accounts' else 'customers seen' end as customers_basis
    from core.accounts
),

changes as (
    select
        day,
        customers_basis,
        sum(change) as change
    from (
        select
            'customers seen' as customers_basis,
            day,
            change
        from seen_changes
        union all
        select
            'accounts' as customers_basis,
            day,
            change
        from account_changes
    )
    semi join basis using (customers_basis)
    group by day, customers_basis
),

days as (
    select unnest(generate_series(min(day), (select max(day) from mart.category_daily), interval 1 day))::date as day
    from changes
)

select
    day,
    (sum(change) over (order by day))::bigint as active_customers,
    customers_basis
from days
cross join basis
left join changes using (day, customers_basis)
order by day;
