-- How many customers with a difficult answer were followed up, over all days whose time for it is over.
select
    survey_id,
    difficult_answers,
    final_answers,
    not_followed_up,
    followed_up_share,
    followed_up_share_low,
    followed_up_share_high,
    median_minutes_to_contact,
    why_null
from mart.follow_up_rates
where period = 'all'
order by survey_id;
