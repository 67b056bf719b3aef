-- Which issues are hardest to get solved? Linked responses per ticket category, with the tickets' own figures.
select
    ticket_category,
    count(*) as n,
    round(avg(ease_0_100), 1) as mean_ease_0_100,
    round(median(resolution_minutes) / 60, 1) as median_resolution_hours,
    round(avg((reopens > 0)::integer), 3) as reopened_share
from responses_with_tickets
where ticket_key is not null and ease_0_100 is not null
group by ticket_category
having count(*) >= (select minimum_n from reference.settings)
order by mean_ease_0_100, ticket_category;
