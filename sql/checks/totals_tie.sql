-- blocking of mart.ces_daily: On these days, the daily figures do not add up to the responses. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with scored as (
    select
        day,
        count(*) as responses
    from core.responses
    where score is not null
    group by day
),

counted as (
    select
        day,
        sum(n) as n,
        sum(easy_count + neutral_count + difficult_count) as in_bands
    from mart.ces_daily
    group by day
)

select
    day,
    coalesce(responses, 0) as responses,
    coalesce(n, 0) as counted,
    coalesce(in_bands, 0) as in_bands
from scored
full join counted using (day)
where responses is distinct from n or n is distinct from in_bands
order by day;
