"""Which names of columns, and of members of JSON, mean a person. Looks at names only, never at values.

Used for the columns that neither a reader nor the registry maps: those that match are pseudonymised. The words are in
`people_words.py`.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ces_pipeline.privacy import people_words

PERSON = "[person]"
"""Written in place of a person where a keyed hash cannot be."""

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*("(?:[^"\\]|\\.)*"?|[^,{}\[\]\s]+)')
_LONGEST_NAME = 5
"""A longer name is a question. Its answers are not people just because it mentions some."""


def _words(table: Mapping[str, str]) -> frozenset[str]:
    """The words of all languages."""
    return frozenset(word for words in table.values() for word in words.split())


_PERSON = _words(people_words.PERSON)
_BIRTH = _words(people_words.BIRTH)
_PERSON_IF_ALONE = _words(people_words.PERSON_IF_ALONE)
_NAME = _words(people_words.NAME)
_NAME_OF = _words(people_words.NAME_OF)
_IDENTIFIER_OF = _words(people_words.IDENTIFIER_OF)
_IDENTIFIER = _words(people_words.IDENTIFIER)
_ACTION = _words(people_words.ACTION)
_BY = _words(people_words.BY)
_PICTURE = _words(people_words.PICTURE)
_PICTURE_OF = _words(people_words.PICTURE_OF)
_RESPONSIBLE = _words(people_words.RESPONSIBLE)
_RESPONSIBLE_FOR = _words(people_words.RESPONSIBLE_FOR)
_MOBILE_NUMBER = _words(people_words.MOBILE_NUMBER)
_OTHER_TOPICS = _words(people_words.OTHER_TOPICS)
_NAMELESS = _words(people_words.NAMELESS)
_ADDRESS = re.compile(r"(?:mailto:)?[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
_QUESTION = re.compile(
    rf"\b({'|'.join(pattern for patterns in people_words.QUESTION_PATTERNS.values() for pattern in patterns)})\b",
    re.IGNORECASE,
)


def looks_like_people(column_name: str) -> bool:
    """Whether the column's name says that it holds a person: an address, a name, a number or an id.

    `RecipientEmail`, `caller_id` and `opened_by` do; `product name`, `agent_wait_time_in_minutes` and `User Agent`
    do not.
    """
    plain = _plain(column_name)
    in_order = [word.lower() for word in _WORD.findall(plain)]
    if len(in_order) > _LONGEST_NAME or "?" in column_name:
        return bool(_QUESTION.search(plain))
    while len(in_order) > 1 and in_order[0] in people_words.PREFIXES:
        del in_order[0]
    while len(in_order) > 1 and in_order[-1] in people_words.SUFFIXES:
        del in_order[-1]
    words = set(in_order)
    if words & _BIRTH:
        return True
    if not words or words & _OTHER_TOPICS:
        return False
    pairs = set(pairwise(in_order))
    if pairs.intersection(people_words.OTHER_PAIRS):
        return False
    return (
        bool(words & _PERSON)
        or words <= _PERSON_IF_ALONE
        or _is_member_of_something(column_name)
        or (bool(words & _PICTURE) and bool(words & _PICTURE_OF))
        or (bool(words & _NAME) and bool(words & _NAME_OF))
        or ("mobile" in words and bool(words & _MOBILE_NUMBER))
        or bool(pairs.intersection(people_words.PAIRS))
        or any(
            (first in _IDENTIFIER_OF and second in _IDENTIFIER)
            or (first in _ACTION and second in _BY)
            or (first in _RESPONSIBLE_FOR and second in _RESPONSIBLE)
            for first, second in pairs
        )
    )


def _is_member_of_something(column_name: str) -> bool:
    """Whether the last part of a nested name is a person by itself: `ticket.contact`. A `name` is also a product's."""
    outer, _, last = column_name.rpartition(".")
    word = _plain(last).lower()
    return bool(outer) and word in _PERSON_IF_ALONE - _NAME


def may_hold_names(column_name: str) -> bool:
    """Whether a column of people may hold their names: not one of addresses, numbers, places or machines."""
    return not {word.lower() for word in _WORD.findall(_plain(column_name))} & _NAMELESS


def are_people(cells: Collection[str]) -> bool:
    """Whether the filled cells of a column are people, whatever its name is: most are an e-mail address, no more.

    A comment that mentions an address is none.
    """
    return 2 * sum(_ADDRESS.fullmatch(cell) is not None for cell in cells) > len(cells)


def is_people_column(name: str, question: str = "", cells: Collection[str] = ()) -> bool:
    """Whether a column holds people, by its name, by the text of its question or by its filled cells."""
    return looks_like_people(name) or looks_like_people(question) or are_people(cells)


def without_people(value: Any, under: str = "") -> Any:
    """A JSON value with `[person]` in place of every member, at any depth, whose name means a person.

    For lists, which stay JSON text in one cell: the column's name does not show what they hold. under: the name of
    the member or column that holds the value. It decides what a bare `name` means: in `agents` a person, in
    `products` not.
    """
    if isinstance(value, list):
        return [without_people(item, under) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: PERSON if member and _is_person(name, under) else without_people(member, name)
        for name, member in value.items()
    }


def members_without_people(text: str, hidden: Collection[str] = ()) -> str:
    """A text that is JSON in part, with `[person]` for members that `hidden` names or whose names mean people."""

    def shown(member: re.Match[str]) -> str:
        name = member[1]
        return f'"{name}": "{PERSON}"' if name in hidden or looks_like_people(name) else member[0]

    return _MEMBER.sub(shown, text)


def has_members(text: str) -> bool:
    """Whether a text holds anything that `members_without_people` recognises as a member of JSON."""
    return bool(_MEMBER.search(text))


@lru_cache(maxsize=10_000)
def _is_person(name: str, under: str) -> bool:
    if under and name.lower() == "name":
        return looks_like_people(f"{under.removesuffix('s')} name")
    return looks_like_people(name)


def _plain(text: str) -> str:
    """The text without accents, and with `ss` for `ß`."""
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
