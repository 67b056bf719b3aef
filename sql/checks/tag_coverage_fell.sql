-- warning of mart.tag_coverage_daily: In the last week, these tags are known for far fewer responses than in the four weeks before. See `mart.tag_coverage_daily`, then correct the column of the export, `columns` of the source in sources.yaml or the rules of segments.yaml.
with newest as (
    select max(day) as day from mart.tag_coverage_daily
),

weeks as (
    select
        tag,
        sum(tag_coverage_daily.responses) filter (tag_coverage_daily.day > newest.day - 7) as responses,
        sum(tag_coverage_daily.known) filter (tag_coverage_daily.day > newest.day - 7) as known,
        sum(tag_coverage_daily.responses) filter (tag_coverage_daily.day <= newest.day - 7) as responses_before,
        sum(tag_coverage_daily.known) filter (tag_coverage_daily.day <= newest.day - 7) as known_before
    from mart.tag_coverage_daily
    cross join newest
    where tag_coverage_daily.day > newest.day - 35
    group by tag
)

select
    tag,
    round(known / responses, 3) as known_share,
    round(known_before / responses_before, 3) as known_share_before
from weeks
cross join reference.settings
where
    responses >= minimum_n
    and responses_before >= minimum_n
    and known / responses < tag_coverage_warning * known_before / responses_before
order by tag;
