-- Who has it harder than the rest? Segments that differ by more than chance, after false-discovery control.
select
    dimension,
    segment,
    n,
    round(difference_ease_0_100, 1) as difference_ease_0_100,
    round(difference_low_0_100, 1) as difference_low_0_100,
    round(difference_high_0_100, 1) as difference_high_0_100,
    round(q_value, 4) as q_value,
    verdict
from mart.segment_differences
where period = 'all' and verdict in ('harder', 'easier')
order by difference_ease_0_100, dimension, segment;
