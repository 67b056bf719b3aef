-- warning: The columns of these sources changed on their newest day of deliveries. All rows were kept. Check that the mapping in `registry/sources.yaml` is still right.
-- A column is `gone` if it was filled in a fifth of the rows before, and `retyped` if all its values were of one kind
-- before and are of another kind now. Days with fewer rows than the minimum n are not compared.
with received as (
    select
        source_id,
        (received_at at time zone business_time_zone)::date as day,
        column_name,
        any_value(field) as field,
        sum(filled) as filled,
        -- If deliveries have different kinds of values, the kind is text.
        case
            when count(distinct kind) filter (kind <> 'empty') > 1 then 'text'
            else coalesce(any_value(kind) filter (kind <> 'empty'), 'empty')
        end as kind
    from audit.delivery_columns
    cross join reference.settings
    group by all
),

looked_at as (
    select
        source_id,
        (received_at at time zone business_time_zone)::date as day,
        sum(delivery_columns.looked_at) as looked_at
    from (
        select distinct
            source_id,
            delivery_id,
            received_at,
            looked_at
        from audit.delivery_columns
    ) as delivery_columns
    cross join reference.settings
    group by all
),

-- The two newest days of receipt with enough rows, per source; 1 is the newest.
days as (
    select
        source_id,
        day,
        looked_at,
        row_number() over (partition by source_id order by day desc) as age
    from looked_at
    cross join reference.settings
    where looked_at >= minimum_n
    qualify age <= 2
),

now as (
    select received.source_id, column_name, field, filled, kind
    from received
    inner join days using (source_id, day)
    where age = 1 and filled > 0
),

before as (
    select received.source_id, column_name, field, filled / looked_at as filled_share, kind
    from received
    inner join days using (source_id, day)
    where age = 2 and filled > 0
),

compared as (
    select
        source_id,
        column_name,
        coalesce(now.field, before.field) as field,
        case
            when before.kind is null then 'added, ' || now.kind
            when now.kind is null then 'gone, was ' || before.kind
            else 'was ' || before.kind || ', is ' || now.kind
        end as change
    from now
    full join before using (source_id, column_name)
    where
        now.kind is distinct from before.kind
        and source_id in (select source_id from days where age = 2)
        and (now.kind is not null or before.filled_share >= 0.2)
)

select
    source_id,
    column_name,
    coalesce(field, 'not mapped') as field,
    change
from compared
order by source_id, column_name;
