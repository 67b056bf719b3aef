"""Answers that are a list inside a JSON record: each becomes a column of the record, named by its question.

The source's option `answers` says where they are: `{list: answers, name: field.ref, value: [number, text]}`. Paths are
keys with dots between them, and lead through lists. `list` finds the answers, `name` the question's id in an answer,
`value` the answer itself: the first of its paths that holds something.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ces_pipeline.errors import RegistryError
from ces_pipeline.formats.contract import folded, option
from ces_pipeline.formats.json_records import cell_text
from ces_pipeline.registry.sources import Source

ANSWERS_OPTION = {
    "answers": "where answers in a list inside a record are: list, name (of the question) and value, as dotted paths"
}
_LISTS = ("answer", "response", "question", "result", "field", "value")
_NAMES = (
    "field.ref",
    "ref",
    "question_id",
    "questionId",
    "question.id",
    "field.id",
    "id",
    "key",
    "name",
    "code",
    "question",
    "title",
    "label",
)
_VALUES = (
    "number",
    "value",
    "answer",
    "response",
    "simple_text",
    "text",
    "boolean",
    "choice.label",
    "choices.labels",
    "label",
)
_NO_VALUES = ("type", "position", "href", "url", "index", "order")
_MOST_DEPTH = 3


@dataclass(frozen=True)
class AnswerList:
    """Where the answers of a record are. path, name and values: keys."""

    path: tuple[str, ...]
    name: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    def as_option(self) -> dict[str, Any]:
        """The value of the option `answers`."""
        values = [".".join(keys) for keys in self.values]
        return {
            "list": ".".join(self.path),
            "name": ".".join(self.name),
            "value": values[0] if len(values) == 1 else values,
        }

    def opened(self, record: Any) -> Any:
        """The record with a value for each answer, under `list.name`; a record that is no object unchanged."""
        if not isinstance(record, dict):
            return record
        prefix = ".".join(self.path)
        found: dict[str, list[str]] = {}
        for answer in _reached(record, self.path):
            name = next(
                (cell_text(name) for name in _reached(answer, self.name) if name not in (None, "")), None
            )
            text = self._text(answer)
            if name and text and text not in found.setdefault(f"{prefix}.{name}", []):
                found[f"{prefix}.{name}"].append(text)
        return {**record, **{name: "; ".join(texts) for name, texts in found.items()}}

    def _text(self, answer: Any) -> str | None:
        for keys in self.values:
            texts = [cell_text(value) for value in _reached(answer, keys) if value not in (None, "", [], {})]
            if texts:
                return "; ".join(dict.fromkeys(text for text in texts if text))
        return None


def answer_list_option(source: Source | None) -> AnswerList | None:
    """The option `answers`; None if the source has none. Raises RegistryError if a part of it is missing."""
    given = option(source, "answers")
    if not given:
        return None
    parts: dict[str, Any] = given if isinstance(given, dict) else {}
    values = parts.get("value")
    paths = values if isinstance(values, list) else [values]
    asked = [parts.get("list"), parts.get("name"), *paths]
    if set(parts) != {"list", "name", "value"} or not all(isinstance(path, str) and path for path in asked):
        raise RegistryError(
            f"sources.yaml: entry {source.id if source else ''}: options.answers: needs list, name and value, each a "
            "path such as answers, field.ref and number (value may be a list of paths)"
        )
    return AnswerList(_keys(parts["list"]), _keys(parts["name"]), tuple(map(_keys, paths)))


def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def find_answer_list(records: Iterable[Any]) -> tuple[AnswerList, list[str]] | None:
    """(The list of answers inside the records, the names of its questions); None if there is no such list.

    Its answers have different names in one record, and the same names in several records.
    """
    objects = [record for record in records if isinstance(record, dict)]
    paths: dict[tuple[str, ...], None] = {}
    for record in objects:
        paths.update(dict.fromkeys(_lists_in(record)))
    # The innermost list comes first: pages hold questions, which hold the answers.
    for path in sorted(
        paths, key=lambda path: (not any(word in folded(path[-1]) for word in _LISTS), len(path))
    ):
        if not any(word in folded(".".join(path)) for word in _LISTS):
            continue
        answers = [[item for item in _reached(record, path) if isinstance(item, dict)] for record in objects]
        for name in map(_keys, _NAMES):
            names = [
                [cell_text(value) for answer in listed for value in _reached(answer, name)]
                for listed in answers
            ]
            if _are_questions(answers, names):
                values = _value_paths([answer for listed in answers for answer in listed], name)
                if values:
                    asked = list(dict.fromkeys(text for listed in names for text in listed if text))
                    return AnswerList(path, name, values), asked
    return None


def _are_questions(answers: list[list[Any]], names: list[list[str | None]]) -> bool:
    """Whether each answer has a name, no record has one twice, and records share their names."""
    counts = Counter(name for listed in names for name in listed)
    if not counts or any(len(listed) != len(found) for listed, found in zip(answers, names, strict=True)):
        return False
    if any(len(set(listed)) < len(listed) or None in listed for listed in names):
        return False
    filled = sum(bool(listed) for listed in names)
    return filled == 1 or max(counts.values()) >= 0.5 * filled


def _value_paths(answers: list[Any], name: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The paths of an answer that may hold its value, the likeliest first."""
    found: dict[tuple[str, ...], None] = {}
    for answer in answers:
        found.update(dict.fromkeys(_leaves(answer)))
    around = name[:-1]
    kept = [
        path
        for path in found
        if path != name
        and not (around and path[: len(around)] == around)
        and not folded(path[-1]).endswith(("id", "ref", *_NO_VALUES))
    ]
    ranks = {_keys(path): rank for rank, path in enumerate(_VALUES)}
    shorter = {
        path: next((ranks[path[at:]] for at in range(len(path)) if path[at:] in ranks), len(ranks))
        for path in kept
    }
    return tuple(sorted(kept, key=lambda path: shorter[path]))


def _reached(value: Any, keys: tuple[str, ...]) -> Iterator[Any]:
    """The values at a path; each item of a list that lies on it or ends it."""
    if isinstance(value, list):
        for item in value:
            yield from _reached(item, keys)
    elif not keys:
        yield value
    elif isinstance(value, dict) and keys[0] in value:
        yield from _reached(value[keys[0]], keys[1:])


def _lists_in(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of the lists of objects in a record."""
    if len(path) > _MOST_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lists_in(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield path
        for item in value:
            yield from _lists_in(item, path)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    elif value is not None and path:
        yield path
