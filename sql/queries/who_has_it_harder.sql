-- Who has it harder than the rest, and who easier? Segments that differ by more than chance, hardest first.
-- Over all days, after false-discovery control: about one in twenty of the listed segments may still be chance.
-- No rows: no segment differs from the rest by more than chance.
select
    verdict,
    dimension,
    segment,
    n,
    round(mean_ease_0_100, 1) as mean_ease_0_100,
    round(mean_ease_rest_0_100, 1) as mean_ease_rest_0_100,
    round(difference_ease_0_100, 1) as difference_ease_0_100,
    round(difference_low_0_100, 1) as difference_low_0_100,
    round(difference_high_0_100, 1) as difference_high_0_100,
    round(q_value, 4) as q_value
from mart.segment_differences
where period = 'all' and verdict in ('harder', 'easier')
order by difference_ease_0_100, dimension, segment;
