-- warning: What these sources deliver changed on their newest day of deliveries. All rows were kept. Check that `columns` and `values` in `registry/sources.yaml` are still right, and that new answers and channels are registered.
with received as (
    select
        source_id,
        delivery_id,
        (received_at at time zone business_time_zone)::date as day
    from audit.deliveries
    cross join reference.settings
    where rows_landed > 0
),

newest as (
    select
        source_id,
        delivery_id
    from received
    qualify day = max(day) over (partition by source_id)
)

select
    source_id,
    column_name,
    coalesce(field, 'not mapped') as field,
    case change
        when 'column_added' then 'added, ' || is_now
        when 'column_gone' then 'gone, was ' || was
        when 'column_renamed' then 'was named ' || was
        when 'column_retyped' then 'was ' || was || ', is ' || is_now
        when 'value_added' then 'new value ' || is_now
        when 'value_gone' then 'value ' || was || ' is gone'
        else 'value ' || was || ' is ' || is_now || ' now'
    end as change
from audit.schema_changes
semi join newest using (source_id, delivery_id)
order by source_id, column_name, change;
