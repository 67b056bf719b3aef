-- Business minutes, for the queries of the marts.
-- The linter expects the body of a scalar macro without indentation:
-- noqa: disable=layout.indent

-- Business minutes from the start of a quarter of an hour to an instant in it. opens and closes: minutes of the quarter.
create or replace temp macro business_minutes_in_quarter(at_us, quarter, opens, closes) as
    greatest(least(at_us / 6e7 - quarter * 15, closes) - opens, 0);
