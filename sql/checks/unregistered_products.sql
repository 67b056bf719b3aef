-- warning of core.tickets: These products of exports are not registered; their rows keep the product name of the export. Add each to products.yaml, as a new product or in `also_known_as` of an existing one.
with named as (
    select
        product,
        count(*) as responses,
        0 as tickets
    from core.responses
    group by product
    union all by name
    select
        product,
        0 as responses,
        count(*) as tickets
    from core.tickets
    group by product
)

select
    product,
    sum(responses)::bigint as responses,
    sum(tickets)::bigint as tickets
from named
anti join reference.products on named.product = products.product_id
where
    product <> 'unknown'
    and exists (select 1 from reference.products)
group by product
order by sum(named.responses) + sum(named.tickets) desc, product;
