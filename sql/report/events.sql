-- Releases, fixes, incidents and changed questions, on the surveys that they concern.
with fixed as (
    -- A fix concerns the surveys whose answers are linked to tickets of its categories.
    select distinct
        fixes.fix_id,
        responses.survey_id
    from reference.fixes as fixes
    inner join reference.fix_categories as categories on fixes.fix_id = categories.fix_id and not is_comparison
    inner join core.tickets as tickets on categories.category = tickets.category
    inner join core.response_tickets using (ticket_key)
    inner join core.responses as responses using (response_key)
),

events as (
    select
        'release' as kind,
        surveys.survey_id,
        releases.day,
        releases.release_id as event_id,
        releases.title,
        n_before,
        n_after,
        -change_effort_0_100 as change_ease_0_100,
        -change_high_0_100 as change_low_0_100,
        -change_low_0_100 as change_high_0_100,
        verdict,
        why
    from reference.releases as releases
    inner join reference.surveys as surveys
        on
            (len(survey_ids) = 0 or list_contains(survey_ids, surveys.survey_id))
            and (len(products) = 0 or product = 'unknown' or list_contains(products, product))
    left join mart.release_windows as windows on releases.release_id = windows.release_id and series = surveys.survey_id
    union all by name
    select
        'fix' as kind,
        survey_id,
        live_on as day,
        fix_id as event_id,
        title
    from reference.fixes
    inner join fixed using (fix_id)
    union all by name
    select
        'wording' as kind,
        survey_id,
        first_day as day,
        wording_version as event_id
    from reference.wording_changes
    union all by name
    select
        'scale' as kind,
        survey_id,
        first_day as day,
        scale_id as event_id
    from reference.scale_changes
    union all by name
    select
        'incident' as kind,
        segment as survey_id,
        first_affected_day as day,
        incident_id as event_id,
        detail as title
    from audit.incidents
    where dimension = 'survey'
)

select
    kind,
    survey_id,
    day,
    event_id,
    title,
    n_before,
    n_after,
    change_ease_0_100,
    change_low_0_100,
    change_high_0_100,
    verdict,
    why
from events
where day between $first_start and $period_end
order by survey_id, day, kind, event_id;
