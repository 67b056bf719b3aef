-- Definitions that several marts share.
-- The linter expects the body of a scalar macro without indentation:
-- noqa: disable=layout.indent

-- Whether an accepted response is a complete one. An unfinished response with every required answer (`partial`) is complete if
-- its survey has a single question: all crucial questions are answered (AAPOR). Null without a response.
create or replace temp macro is_complete_response(flags, questions) as
    not list_contains(flags, 'partial') or coalesce(questions, 0) = 1;

-- Share of the variance that goes with the segments, corrected for chance, 0 to 1 (Hays 1963). Null if all answers are equal,
-- or if no segment has two.
create or replace temp macro omega_squared(segments, n, between_squares, within_squares, total_squares) as
    case
        when total_squares > 0 and n > segments
            then greatest(
                (between_squares - (segments - 1) * within_squares / (n - segments))
                / (total_squares + within_squares / (n - segments)),
                0
            )
    end;

-- The newest day that deliveries cover completely, as `last_complete_day`, in one row. `answers` and `deliveries` name
-- CTEs: the accepted answers (day), because rejected rows may have the day of their receipt, and the deliveries
-- (received_at). The day of the newest delivery may still go on; without a known delivery, so may the newest day.
create or replace temp macro complete_answers(answers, deliveries) as table
    select least(newest_day, coalesce(received_day, newest_day) - 1) as last_complete_day
    from (select max(day) as newest_day from query_table(answers))
    cross join (
        select timezone(any_value(business_time_zone), max(received_at))::date as received_day
        from query_table(deliveries)
        cross join reference.settings
    );

-- The length of a `week`, `month` or `quarter`.
create or replace temp macro length_of(period) as
    case period when 'week' then interval 7 days when 'month' then interval 1 month else interval 3 months end;
