-- Did we call back customers with a difficult answer? Per survey: difficult answers, how many were followed up, and how soon.
select
    survey_id,
    difficult_answers,
    final_answers,
    not_followed_up,
    round(followed_up_share, 3) as followed_up_share,
    round(followed_up_share_low, 3) as followed_up_share_low,
    round(followed_up_share_high, 3) as followed_up_share_high,
    round(contacted_share, 3) as contacted_share,
    round(contacted_share_low, 3) as contacted_share_low,
    round(contacted_share_high, 3) as contacted_share_high,
    round(resolved_share, 3) as resolved_share,
    round(resolved_share_low, 3) as resolved_share_low,
    round(resolved_share_high, 3) as resolved_share_high,
    round(median_minutes_to_contact / 60, 1) as median_hours_to_contact,
    why_null
from mart.follow_up_rates
where period = 'all'
order by survey_id;
