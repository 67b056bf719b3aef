-- One row per source and span of time (a day, or longer) with landed rows or a number from the vendor: landed of expected.
-- Answers: has every record of the source landed? `captured_share` is `landed` / `expected`, both as of `asked_at`,
-- the last time that the vendor was asked. It counts every record, so it has no interval. Null `expected` and
-- `captured_share`: the number of records is not known (`state` is `unknown`); unknown never counts as complete. A
-- file does not show which records are missing, so a source of files is `unknown`.
with asked as (
    select
        source_id,
        stream,
        window_start,
        window_end,
        landed,
        expected,
        basis,
        detail,
        asked_at
    from audit.pull_windows
    qualify row_number() over (
        partition by source_id, stream, window_start
        order by asked_at desc, window_end desc, pull_id
    ) = 1
),

-- Rows that the lake stores twice, because deliveries arrived out of order, count once: the order has no effect.
delivered as (
    select
        source_id,
        day,
        sum(rows)::bigint as landed
    from (
        select
            source_id,
            day,
            rows_landed as rows
        from audit.delivery_days
        union all
        select
            source_id,
            day,
            -landed_again as rows
        from audit.load_audit
        where is_current
    )
    group by source_id, day
),

-- Days of sources whose vendor was never asked.
unasked as (
    select
        delivered.source_id,
        'rows' as stream,
        delivered.day,
        null::timestamptz as window_start,
        null::timestamptz as window_end,
        delivered.landed,
        null::bigint as expected,
        'unknown' as basis,
        'the feed is not pulled from an API' as detail,
        null::timestamptz as asked_at
    from delivered
    anti join asked on delivered.source_id = asked.source_id
    where delivered.landed > 0
),

accounts as (
    select
        source_id,
        stream,
        (window_start at time zone 'UTC')::date as day,
        window_start,
        window_end,
        landed,
        expected,
        basis,
        detail,
        asked_at
    from asked
    union all
    select
        source_id,
        stream,
        day,
        window_start,
        window_end,
        landed,
        expected,
        basis,
        detail,
        asked_at
    from unasked
)

select
    source_id,
    stream,
    day,
    window_start,
    window_end,
    landed,
    expected,
    -- `greatest` and `least` ignore nulls, but here nulls must stay.
    case when expected is not null then greatest(expected - landed, 0) end as missing,
    case when expected is not null then greatest(landed - expected, 0) end as surplus,
    case when expected > 0 then least(landed, expected) / expected end as captured_share,
    case
        when expected is null then 'unknown'
        when landed < expected then 'short'
        else 'complete'
    end as state,
    basis,
    detail,
    asked_at
from accounts
order by source_id, stream, day, window_start;
