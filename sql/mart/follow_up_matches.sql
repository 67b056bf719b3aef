-- One row per source of follow-ups and kind of answer that its follow-ups belong to.
-- Answers: does every follow-up belong to a known answer? Every follow-up counts once: under `difficult answer` if one
-- of its answers was difficult, else under `other answer`; under `ambiguous` if several platforms have an answer with
-- that id; under `unknown answer` if no accepted answer has the id, or the ticket has no answer before the follow-up
-- ended.
with named as (
    select
        follow_up_key,
        any_value(source_id) as source_id,
        max(response_id) as response_id
    from core.follow_ups
    group by follow_up_key
),

linked as (
    select
        follow_up_key,
        bool_or(coalesce(effort_band = 'difficult', false)) as is_difficult
    from core.response_follow_ups
    inner join core.responses using (response_key)
    group by follow_up_key
)

select
    source_id,
    case
        when is_difficult then 'difficult answer'
        when linked.follow_up_key is not null then 'other answer'
        when response_id in (select response_id from core.responses) then 'ambiguous'
        else 'unknown answer'
    end as match,
    count(*) as follow_ups
from named
left join linked using (follow_up_key)
group by all
order by source_id, match;
