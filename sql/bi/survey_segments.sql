-- One row per survey, span (week, 4 weeks, month, quarter, all days), dimension and segment: effort within one survey.
-- Dimension `all` has all answers of the survey. Do not add up dimensions: each holds every answer once.
-- column survey_segment_key: Key of the row: survey, span, its last day, dimension and segment.
select
    figures.survey_id || '/' || figures.span || '/' || figures.span_end::varchar || '/' || figures.dimension
    || '/' || figures.segment as survey_segment_key,
    figures.survey_id,
    surveys.title as survey_title,
    figures.span,
    figures.span_start,
    figures.span_end,
    figures.dimension,
    figures.segment,
    figures.n,
    figures.is_suppressed,
    figures.is_mixed_scales,
    figures.is_mixed_wordings,
    figures.mean_ease_0_100,
    figures.ease_low_0_100,
    figures.ease_high_0_100,
    figures.mean_effort_0_100,
    figures.difficult_share,
    figures.difficult_share_low,
    figures.difficult_share_high
from mart.touchpoint_segments as figures
left join reference.surveys as surveys using (survey_id)
order by survey_segment_key;
