-- One row per scored response and other KPI of the same interaction.
-- Answers: what did the same customer answer on effort, and on satisfaction or recommendation? `csat` and `nps` are
-- from the same response, `ticket_csat` is the rating of the ticket that the response is linked to.
with pairs as (
    select
        responses.response_key,
        'csat' as kpi,
        responses.day,
        responses.survey_id,
        responses.ease_0_100,
        responses.effort_band,
        responses.csat_0_100 as other,
        surveys.csat_scale_id as other_scale_id
    from core.responses
    inner join reference.surveys using (survey_id)
    where responses.ease_0_100 is not null and responses.csat_0_100 is not null
    union all
    select
        responses.response_key,
        'nps' as kpi,
        responses.day,
        responses.survey_id,
        responses.ease_0_100,
        responses.effort_band,
        responses.nps as other,
        null as other_scale_id
    from core.responses
    where responses.ease_0_100 is not null and responses.nps is not null
    union all
    select
        responses.response_key,
        'ticket_csat' as kpi,
        responses.day,
        responses.survey_id,
        responses.ease_0_100,
        responses.effort_band,
        tickets.csat_0_100 as other,
        'csat_good_bad' as other_scale_id
    from core.responses
    inner join core.response_tickets using (response_key)
    inner join core.tickets using (ticket_key)
    where responses.ease_0_100 is not null and tickets.csat_0_100 is not null
),

boxes as (
    select
        scale_id as other_scale_id,
        round(100 - effort_0_100, 3) as other_key,
        case effort_band when 'easy' then 'positive' when 'difficult' then 'negative' else 'neutral' end as band
    from reference.scale_boxes
)

select
    pairs.response_key,
    pairs.kpi,
    pairs.day,
    pairs.survey_id,
    pairs.ease_0_100,
    pairs.effort_band,
    pairs.other,
    case
        when pairs.kpi = 'nps'
            then case when pairs.other >= 9 then 'positive' when pairs.other >= 7 then 'neutral' else 'negative' end
        -- A ticket rating that is a percentage is in no box of its scale.
        else coalesce(boxes.band, 'neutral')
    end as other_band
from pairs
left join boxes on pairs.other_scale_id = boxes.other_scale_id and round(pairs.other, 3) = boxes.other_key
order by response_key, kpi;
