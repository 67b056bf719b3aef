-- core.tickets follows the tickets with a changed version, those of a source that began or ceased to report when tickets
-- are opened, and those of a category with several spellings, whose most frequent spelling may have changed.

-- replaces ticket_key in (select ticket_key from scope)
-- scope
with spellings as (
    select distinct category
    from (
        select category from core.ticket_versions
        union all
        select category from changed.ticket_versions
    )
    where category is not null
),

ambiguous as (
    select category
    from spellings
    qualify count(*) over (partition by lower(regexp_replace(trim(category), '\s+', ' ', 'g'))) > 1
),

openings as (
    select
        source_id,
        count(created_at) > 0 as reports
    from core.ticket_versions
    group by source_id
),

openings_before as (
    select
        source_id,
        count(created_at) > 0 as reported
    from before.core.ticket_versions
    group by source_id
)

select ticket_key from changed.ticket_versions
union
select ticket_key from core.ticket_versions
where category in (select category from ambiguous)
union
select ticket_key from core.ticket_versions
where
    source_id in (
        select source_id from openings
        inner join openings_before using (source_id)
        where reports <> reported
    );

-- input core.ticket_versions
-- With a ticket of each source that reports openings: the query asks whether a source has any.
select * from core.ticket_versions
where
    ticket_key in (select ticket_key from scope)
    or ticket_key in (
        select any_value(ticket_key) from core.ticket_versions
        where created_at is not null
        group by source_id
    );
