-- Is it easier for customers if a machine solves it? Tickets by handling: time, reopens and effort.
select
    handling,
    tickets,
    round(median_resolution_minutes / 60, 1) as median_resolution_hours,
    round(median_resolution_minutes_low / 60, 1) as median_low_hours,
    round(median_resolution_minutes_high / 60, 1) as median_high_hours,
    round(reopened_share, 3) as reopened_share,
    round(reopened_share_low, 3) as reopened_share_low,
    round(reopened_share_high, 3) as reopened_share_high,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(ease_low_0_100, 1) as ease_low_0_100,
    round(ease_high_0_100, 1) as ease_high_0_100
from mart.handling_effort
where period = 'all'
order by handling;
