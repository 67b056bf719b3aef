-- The answers of the period as they were given, on every point of the scale.
with given as (
    select
        survey_id,
        scale_id,
        round(score)::bigint as score,
        count(*) as n
    from core.responses
    where score is not null and day between $period_start and $period_end
    group by survey_id, scale_id, round(score)
),

used as (select distinct survey_id, scale_id from given)

select
    survey_id,
    scale_id,
    score,
    coalesce(n, 0) as n,
    effort_band
from used
inner join reference.scale_boxes using (scale_id)
left join given using (survey_id, scale_id, score)
order by survey_id, scale_id, score;
