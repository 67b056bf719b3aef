-- One row per feed of follow-ups and what its follow-ups were found to follow up.
-- Answers: do all follow-ups belong to an answer that we know? Every follow-up counts once: under `difficult answer` where
-- one that it follows up was difficult, else `other answer`; `ambiguous` where several platforms have an answer of that
-- id; `unknown answer` where no accepted answer has the id, or the ticket has none before the follow-up ended.
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
