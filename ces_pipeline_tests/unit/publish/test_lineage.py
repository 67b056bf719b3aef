"""Protects column lineage: values are followed through everything that the marts' SQL uses, filters are not."""

import pytest

from ces_pipeline.publish.lineage import Origin, column_lineage
from ces_pipeline.rules.catalog import REASON_NAMES

TABLES = {"core.a": ["id", "score", "tags", "day"], "core.b": ["id", "minutes"]}


def lineage(query: str) -> dict[str, list[Origin]]:
    return column_lineage({"query": query}, TABLES)["query"]


@pytest.mark.parametrize(
    ("query", "origins"),
    [
        ("select score as x from core.a where day > 1 order by id", [("core.a", "score")]),
        ("select count(*) as x from core.a", []),
        ("select sum(score) filter (day > 1) as x from core.a", [("core.a", "day"), ("core.a", "score")]),
        (
            "select a.score + b.minutes as x from core.a left join core.b using (id)",
            [("core.a", "score"), ("core.b", "minutes")],
        ),
        ("select id as x from core.a join core.b using (id)", [("core.a", "id"), ("core.b", "id")]),
        ("with c as (select score as s from core.a) select s * 2 as x from c", [("core.a", "score")]),
        ("select score as y, y + 1 as x from core.a", [("core.a", "score")]),
        ("select x from (select minutes from core.b) as c(x)", [("core.b", "minutes")]),
        ("select minutes as x from core.b union all select score from core.a", [("core.a", "score"), ("core.b", "minutes")]),
        ("select 1 as y union all by name select score as x from core.a", [("core.a", "score")]),
        ("select (select max(minutes) from core.b where b.id = a.id) as x from core.a", [("core.b", "minutes")]),
        ("select tag as x from core.a, unnest(tags) as t(tag)", [("core.a", "tags")]),
        ("select list_transform([score], lambda k: k + day) as x from core.a", [("core.a", "day"), ("core.a", "score")]),
        ("select m as x from (values (1, 2)) as v(n, m)", []),
        (
            "select row_number() over (partition by id order by day) as x from core.a",
            [("core.a", "day"), ("core.a", "id")],
        ),
    ],
)  # fmt: skip
def test_a_column_comes_from(query: str, origins: list[Origin]) -> None:
    assert lineage(query).get("x", []) == origins


def test_a_star_without_a_column_keeps_the_others() -> None:
    assert lineage("with c as (select id, score from core.a) select c.* exclude (id) from c") == {
        "score": [("core.a", "score")]
    }


@pytest.mark.parametrize(
    "given", ["select id, score as s from core.a", "select id, minutes as s from core.b"]
)
def test_a_table_that_is_named_to_a_function_is_followed(given: str) -> None:
    named = lineage(f"with c as ({given}) select t.* from query_table('c') as t")
    assert named == lineage(given)


def test_a_stored_table_that_is_named_to_a_function_is_followed() -> None:
    assert lineage("select s as x from query_table('core.b') as t(i, s)") == {"x": [("core.b", "minutes")]}


def test_a_table_macro_is_followed_into_its_own_query() -> None:
    sums = (
        "select id, count(*) as n, sum(score) as ease_sum, sum(score * score) as ease_square_sum,"
        " 1 as easy_count, 1 as neutral_count, 1 as difficult_count from core.a group by id"
    )
    tables = {**TABLES, "reference.settings": ["minimum_n"]}
    query = f"with sums as ({sums}) select figures.* from effort_figures('sums') as figures"
    found = column_lineage({"query": query}, tables)["query"]
    assert found["id"] == [("core.a", "id")]
    assert found["mean_ease_0_100"] == [("core.a", "score"), ("reference.settings", "minimum_n")]
    assert found["ease_sum_0_100"] == [("core.a", "score")]
    assert found["n"] == []


def test_a_pivot_over_a_type_has_a_column_for_each_of_its_names() -> None:
    pivoted = "pivot (select id, unnest(tags) as tag, score from core.a) on tag in rule_reasons using {} group by id"
    query = "with p as ({}) select id, minutes, coalesce(columns(p.* exclude (id)), minutes) from p join core.b using (id)"
    of_id = [("core.a", "id"), ("core.b", "id")]
    counted = lineage(query.format(pivoted.format("count(*)")))
    assert list(counted) == ["id", "minutes", *REASON_NAMES]
    assert (counted["id"], counted["slow"]) == (of_id, [("core.a", "tags"), ("core.b", "minutes")])
    summed = lineage(query.format(pivoted.format("sum(score)")))
    assert summed["slow"] == [("core.a", "score"), ("core.a", "tags"), ("core.b", "minutes")]


def test_a_query_that_does_not_parse_is_reported_with_its_name() -> None:
    with pytest.raises(ValueError, match=r"mart\.broken"):
        column_lineage({"mart.broken": "selec 1"}, TABLES)
