-- One row per scored response and other KPI that contradict each other.
-- Answers: which interactions were easy but left the customer dissatisfied, or difficult but well rated? It lists
-- single cases to read; `mart.kpi_crosstab` shows how often they happen. A null ticket: the response is linked to
-- none.
select
    kpi_pairs.day,
    kpi_pairs.response_key,
    kpi_pairs.kpi,
    kpi_pairs.survey_id,
    kpi_pairs.effort_band,
    kpi_pairs.other_band,
    kpi_pairs.ease_0_100,
    kpi_pairs.other,
    response_tickets.ticket_key
from mart.kpi_pairs
left join core.response_tickets using (response_key)
where
    (kpi_pairs.effort_band = 'easy' and kpi_pairs.other_band = 'negative')
    or (kpi_pairs.effort_band = 'difficult' and kpi_pairs.other_band = 'positive')
order by day, response_key, kpi;
