"""Protects that every spelling of a ticket's id names the same ticket, and that no other one does."""

import pandas as pd
import pytest

from ces_pipeline.clean.ticket_ids import ticket_id_of, ticket_ids_of


@pytest.mark.parametrize(
    "text",
    [
        "1234", "#1234", "1234.0", "1234.00", "1,234", "1,234.0", " # 1234", "Ticket #1234", "ticket no. #1234",
        "https://help.example.org/agent/tickets/1234", "https://help.example.org/agent/tickets/1234/",
        "https://desk.example.org/a/tickets/1234?filter=new", "https://desk.example.org/tickets/1234/events",
        "https://desk.example.org/show?ticket=1234", "https://desk.example.org/app#/tickets/1234",
    ],
)  # fmt: skip
def test_spellings_of_1234(text: str) -> None:
    assert ticket_id_of(text) == "1234"


@pytest.mark.parametrize(
    "text",
    ["00777", "INC0012345", "ABC-12", "1,23", "12,34", "1.5", "v1.0", "1.234E+03", "a/b", "see #12 and #13"],
)
def test_other_names_are_kept(text: str) -> None:
    assert ticket_id_of(text) == text


def test_a_column_keeps_its_nulls_and_its_plain_ids() -> None:
    texts = pd.Series(["7", None, "#7", "1,007", "007"], dtype="str", index=[5, 6, 7, 8, 9])
    found = ticket_ids_of(texts)
    assert found.index.to_list() == [5, 6, 7, 8, 9]
    assert [None if pd.isna(text) else text for text in found] == ["7", None, "7", "1007", "007"]
    assert ticket_ids_of(texts[:2]).equals(texts[:2])
