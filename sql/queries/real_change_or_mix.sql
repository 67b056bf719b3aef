-- Is a change real, or did only the mix of channels change? All surveys per week: unadjusted, and at a constant mix.
select
    week,
    n,
    round(raw_ease_0_100, 1) as raw_ease_0_100,
    round(raw_ease_low_0_100, 1) as raw_ease_low_0_100,
    round(raw_ease_high_0_100, 1) as raw_ease_high_0_100,
    round(adjusted_ease_0_100, 1) as adjusted_ease_0_100,
    round(adjusted_ease_low_0_100, 1) as adjusted_ease_low_0_100,
    round(adjusted_ease_high_0_100, 1) as adjusted_ease_high_0_100,
    round(adjusted_change_0_100, 1) as adjusted_change_0_100,
    round(mix_change_0_100, 1) as mix_change_0_100,
    is_after_break,
    is_suppressed
from mart.ces_adjusted_weekly
where series = 'all surveys'
order by break_number, week;
