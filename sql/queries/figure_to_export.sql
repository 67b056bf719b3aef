-- Which rows of which exports are behind a figure? The answers behind the newest day's mean of each survey, hardest first.
-- At most 200 rows: another day or survey is a change of `newest`. `ces why RESPONSE_ID` shows the row in its export.
with newest as (
    select
        survey_id,
        day,
        n,
        mean_ease_0_100,
        is_suppressed
    from effort_today
)

select
    responses.day,
    responses.survey_id,
    newest.n,
    round(newest.mean_ease_0_100, 1) as mean_ease_0_100,
    newest.is_suppressed,
    responses.source_id,
    deliveries.file_name,
    responses.response_id,
    responses.scale_id,
    responses.score,
    responses.ease_0_100
from newest
inner join core.responses as responses using (survey_id, day)
left join audit.deliveries as deliveries using (source_id, delivery_id)
where responses.ease_0_100 is not null
order by responses.survey_id, responses.ease_0_100, responses.recorded_at, responses.response_key
limit 200;
