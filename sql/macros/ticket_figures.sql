-- The figures of groups of resolved tickets, for the marts that split resolved tickets.
-- `sums` names a CTE or table with one row per group: timed_tickets (tickets with a resolution time), median_minutes and
-- its interval median_minutes_low and median_minutes_high, reopen_known and repeat_known (tickets for which the system
-- reports it), reopened and repeat_contacts (of these, the tickets that were). Other columns are kept.
-- The macro returns the median in minutes, and shares from 0 to 1 with their intervals; null below the minimum n.
create or replace temp macro ticket_figures(sums) as table
    select
        given.*,
        shown(timed_tickets < minimum_n, median_minutes) as median_resolution_minutes,
        shown(timed_tickets < minimum_n, median_minutes_low) as median_resolution_minutes_low,
        shown(timed_tickets < minimum_n, median_minutes_high) as median_resolution_minutes_high,
        shown(reopen_known < minimum_n, reopened / reopen_known) as reopened_share,
        shown(reopen_known < minimum_n, share_low(reopened, reopen_known)) as reopened_share_low,
        shown(reopen_known < minimum_n, share_high(reopened, reopen_known)) as reopened_share_high,
        shown(repeat_known < minimum_n, repeat_contacts / repeat_known) as repeat_contact_share,
        shown(repeat_known < minimum_n, share_low(repeat_contacts, repeat_known)) as repeat_contact_share_low,
        shown(repeat_known < minimum_n, share_high(repeat_contacts, repeat_known)) as repeat_contact_share_high
    from query_table(sums) as given
    cross join reference.settings;
