"""Protects product names: one id for all names of a product, and no name lost that is not registered."""

from typing import Any

import pandas as pd
import pytest

from ces_pipeline.clean.judged_by import judged_by
from ces_pipeline.clean.products import products_of
from ces_pipeline.clean.tickets import clean_tickets
from ces_pipeline.registry.products import Product
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.segments import Segment
from ces_pipeline_tests.unit.clean.frames import RULE_VERSION, clean, raw_rows, registry

SHOP = {
    "id": "web_shop",
    "title": "Web shop",
    "also_known_as": ["Webshop", "Shop (web)"],
    "owner": "ann's team",
}


def with_products(base: Registry, *products: dict[str, Any]) -> Registry:
    return base.model_copy(
        update={"products": tuple(Product.model_validate(product) for product in products)}
    )


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("Webshop", "web_shop"),
        ("  shop  (WEB)", "web_shop"),
        ("web_shop", "web_shop"),
        # The title is for people: exports may say it of something else.
        ("Web shop", "Web shop"),
        ("Kiosk", "Kiosk"),
        (None, None),
    ],
)
def test_a_name_of_a_product_is_its_id_and_any_other_stays(text: str | None, product: str | None) -> None:
    texts = pd.Series([text, "Webshop"], index=[7, 3], dtype="str")
    found = products_of(texts, with_products(registry(), SHOP))
    assert list(found.index) == [7, 3]
    assert found.astype(object).where(found.notna(), None).to_list() == [product, "web_shop"]


def test_without_products_nothing_changes() -> None:
    texts = pd.Series(["  Webshop", None], dtype="str")
    assert products_of(texts, registry()) is texts


def test_responses_and_tickets_have_the_same_products_and_rules_match_them() -> None:
    rule = Segment.model_validate({"id": "r", "value": "buyers", "when": {"product": "web_shop"}})
    with_shop = with_products(registry({"product": "web_shop"}, segments=(rule,)), SHOP)
    answers = clean(with_shop, {"product": "WEBSHOP"}, {"product": "Kiosk"}, {}).accepted
    assert answers["product"].to_list() == ["web_shop", "Kiosk", "web_shop"]
    assert answers["persona"].to_list() == ["buyers", "unassigned", "buyers"]
    named = (
        {"ticket_id": "t1", "product": "Webshop"},
        {"ticket_id": "t2"},
        {"ticket_id": "t3", "product": "Kiosk"},
    )
    tickets = clean_tickets(raw_rows(*named, kind="tickets"), with_shop, RULE_VERSION).accepted
    assert dict(zip(tickets["ticket_id"], tickets["product"], strict=True)) == {
        "t1": "web_shop",
        "t2": "unknown",
        "t3": "Kiosk",
    }


def test_only_a_products_names_are_part_of_what_days_depend_on() -> None:
    none, shop = registry(), with_products(registry(), SHOP)
    owned = with_products(registry(), {**SHOP, "owner": "bob's team", "area": "sales"})
    renamed = with_products(registry(), {**SHOP, "also_known_as": ["Webshop"]})
    for kind in ("survey", "tickets"):
        assert judged_by(none, kind) == judged_by(with_products(registry()), kind)
        assert judged_by(none, kind) != judged_by(shop, kind)
        assert judged_by(shop, kind) == judged_by(owned, kind)
        assert judged_by(shop, kind) != judged_by(renamed, kind)
