-- The figures of `effort_figures`, and the share of the two best answers with its interval, for marts that show both.
-- `sums` has the columns that `effort_figures` reads, and top_two_count (answers among the two best of their scale).
create or replace temp macro top_two_figures(sums) as table
    select
        figures.*,
        shown(is_suppressed, top_two_count / n) as top_two_share,
        shown(is_suppressed, share_low(top_two_count, n)) as top_two_share_low,
        shown(is_suppressed, share_high(top_two_count, n)) as top_two_share_high
    from effort_figures(sums) as figures;
