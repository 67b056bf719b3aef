-- warning: These words of flags and states are in no list, so their rows are marked and what they mean is not known. Say what each means under `values` of the source in sources.yaml, such as `values: {finished: {aborted: "false"}}`, then run `ces run`.
with found as (
    select
        source_id,
        kind,
        unnest(json_keys(unknown_words)) as field,
        unknown_words
    from audit.load_audit
    where is_current and unknown_words is not null
),

words as (
    select
        source_id,
        kind,
        field,
        unnest(json_keys(unknown_words, '$."' || field || '"')) as word,
        unknown_words -> field as counted
    from found
)

select
    source_id,
    field,
    word,
    sum((counted ->> ('$."' || replace(word, '"', '\"') || '"'))::bigint) as row_count
from words
group by all
order by source_id, field, row_count desc, word
