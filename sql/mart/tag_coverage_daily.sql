-- One row per day x tag with accepted responses: how many have a known value.
-- Answers: for how many responses do we know the channel, persona, product, device, journey stage and language? Every
-- response of the day counts, so the share has no interval. `unknown` and `unassigned` are not known.
with counted as (
    select
        day,
        count(*) as responses,
        count(*) filter (channel <> 'unknown') as with_channel,
        count(*) filter (persona <> 'unassigned') as with_persona,
        count(*) filter (product <> 'unknown') as with_product,
        count(*) filter (device <> 'unknown') as with_device,
        count(*) filter (journey_stage <> 'unknown') as with_journey_stage,
        count(*) filter (language <> 'unknown') as with_language
    from core.responses
    group by day
),

tags as (
    select
        day,
        responses,
        unnest(['channel', 'persona', 'product', 'device', 'journey_stage', 'language']) as tag,
        unnest(
            [with_channel, with_persona, with_product, with_device, with_journey_stage, with_language]
        ) as known
    from counted
)

select
    day,
    tag,
    responses,
    known,
    responses - known as not_known,
    known / responses as known_share
from tags
order by day, tag;
