-- What did the figures say a week ago that they do not say now? Days whose answers changed since, newest first. For
-- another date, write it in place of the first line: `select date '2026-03-09' as known_on`.
with asked as (
    select max(published_at)::date - 7 as known_on from audit.publication
)

select
    then_known.survey_id,
    then_known.day,
    then_known.n as n_then,
    present.n as n_now,
    round(then_known.mean_ease_0_100, 1) as mean_ease_then_0_100,
    round(present.mean_ease_0_100, 1) as mean_ease_now_0_100,
    round(then_known.difficult_share, 3) as difficult_share_then,
    round(present.difficult_share, 3) as difficult_share_now,
    present.published_at as changed_at
from figures_as_known as then_known
inner join figures_as_known as present using (survey_id, day)
cross join asked
where
    known_on between then_known.known_from and then_known.known_until
    and present.known_until = date '9999-12-31'
    and present.known_from > known_on
order by day desc, survey_id;
