-- Start here: what is in this file, what its newest day is, and what to query for which question.
-- One row per question or table group. `look_at` is the name of a view or table; `SELECT * FROM` it.
-- column position: Order of the rows.
-- column question: What a person may want to know.
-- column look_at: The view or table that answers it.
-- column newest_day: The newest day with an accepted answer; null: none yet.
-- column published_at: When this file was published.
with facts as (
    select
        (select max(day) from core.responses) as newest_day,
        (select max(published_at) from audit.publication) as published_at
),

places (position, question, layer, name) as (
    values
    (1, 'How hard was it on the newest day, per survey?', null, 'effort_today'),
    (2, 'How hard is it by channel, persona, product or owner, per month?', null, 'effort_by_segment'),
    (3, 'Which issues are hardest to get solved?', null, 'ticket_effort_by_category'),
    (4, 'Which tickets need attention first?', null, 'hard_tickets'),
    (5, 'Who of the invited customers answers?', null, 'response_rate_by_touchpoint'),
    (6, 'Which single answers are there, with their ticket?', null, 'responses_with_tickets'),
    (7, 'Which rows were rejected, and why?', null, 'open_quarantine'),
    (8, 'What happened to every landed row?', null, 'feed_books'),
    (9, 'What should be fixed first?', 'mart', 'priorities'),
    (10, 'Did a fix help?', 'mart', 'fix_impact'),
    (11, 'How well does the programme itself work?', 'mart', 'program_metrics'),
    (12, 'When did which delivery land, with how many rows?', 'audit', 'deliveries'),
    (13, 'Which checks failed in the newest publish?', 'audit', 'check_results'),
    (14, 'What did we know on a date, and which figures changed since?', null, 'figures_as_known'),
    (15, 'What is wrong, since when, and who looks after it?', 'audit', 'incidents'),
    (16, 'What do the tables and columns mean?', null, 'duckdb_columns()')
)

select
    places.position,
    places.question,
    concat_ws('.', places.layer, places.name) as look_at,
    facts.newest_day,
    facts.published_at
from places
cross join facts
order by position;
