-- Business time, for the queries of the marts.
-- The linter expects the body of a scalar macro without indentation:
-- noqa: disable=layout.indent

-- Business microseconds from the start of a quarter of an hour to an instant in it, as integers: equal times are equal
-- numbers. opens and closes: minutes of the quarter.
create or replace temp macro business_us_in_quarter(at_us, quarter, opens, closes) as
    greatest(least(at_us - quarter * 900000000, closes * 60000000) - opens * 60000000, 0);
