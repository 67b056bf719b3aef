-- warning: These products are named by exports and not registered; their rows keep the name as it came. Add each to products.yaml, as a product or among the `also_known_as` of one.
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
