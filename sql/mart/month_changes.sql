-- One row per survey x month, from its first answer to the newest one of any survey.
-- Answers: is it easier or harder than in the month before? Each survey is compared with itself. The query collects the
-- evidence; `ces_pipeline.statistics.period_changes` computes interval and verdict, with false-discovery control among the
-- surveys of a month. No change is computed from or to a month that is not complete or suppressed, nor across another wording
-- or scale. A null figure has fewer answers than the minimum n.
with answers as not materialized (
    select
        survey_id,
        day,
        scale_id,
        is_suspect,
        effort_band,
        ease_0_100
    from core.responses
),

deliveries as (
    select received_at from audit.deliveries
),

sums as (
    select
        evidence.* exclude (is_whole),
        period_start as month,
        is_whole as is_whole_month
    from period_change_evidence('month', 'answers', 'deliveries') as evidence
)

select figures.*
from top_two_figures('sums') as figures
order by survey_id, month;
