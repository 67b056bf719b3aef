-- One row per scored response and other KPI that say the opposite of each other.
-- Answers: which interactions were easy and yet left the customer dissatisfied, or difficult and yet well rated? For reading,
-- one by one: how often it happens is in `mart.kpi_crosstab`. A null ticket: the response is linked to none.
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
