"""Reads one YAML file of the registry: refuses what YAML lets pass, bounds what it costs, knows the line of a key.

YAML takes the last of two equal keys, reads `off` as false, `010` as 8 and `09:00` as 540, and lets a short file grow
without end through its aliases. Here a key counts once, only plain numbers are numbers, and size and depth are limited.
"""

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ces_pipeline.errors import RegistryError

_MOST_BYTES = 4 << 20
_MOST_VALUES = 200_000
_MOST_LEVELS = 50
_LONGEST_NAME = 63
_LONG_WORD = re.compile(rf"\S{{{2 * _LONGEST_NAME},}}")

_TAG = "tag:yaml.org,2002:"
_OWN_TAGS = {f"{_TAG}{name}" for name in ("bool", "int", "float")}
# A longer number stays a text: it is refused where a number is expected, with its key.
_INTEGER = re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$")
_DECIMAL = re.compile(
    r"^(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_FLAG_WORDS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_FLAG = re.compile(r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_ID_LINE = re.compile(r"\s*(?:-\s+)?\{?\s*id:\s*[\"']?([^\s\"',}]+)")

Loc = Sequence[str | int]
"""Where a value is: the number of its entry, from 0, if the file is a list; then the keys that lead to it."""


class Flag(str):
    """A word that YAML takes for true or false. It is a text, as written, until a model asks for a bool."""

    @property
    def is_true(self) -> bool:
        return _FLAG_WORDS[self.lower()]


@dataclass(frozen=True)
class YamlFile:
    """The content of a file: `data` is None if the file does not exist or is empty."""

    path: Path
    data: Any = None
    root: yaml.Node | None = None

    def wrong(self, loc: Loc, text: str) -> RegistryError:
        """The error for a value: one line with file, line, entry and key."""
        text = _LONG_WORD.sub(lambda word: f"{word[0][:_LONGEST_NAME]}...", text)
        return RegistryError(f"{_place(self.path, _line(self.root, loc))}: {self.named(loc)}: {text}")

    def named(self, loc: Loc) -> str:
        """Entry and key of a value, as messages show them."""
        return _named(self.path, self.root, loc)


def read_yaml(path: Path) -> YamlFile:
    """The file's content. Raises RegistryError, which names file, line and entry, if it cannot be read."""
    try:
        status = path.stat()
        if status.st_size > _MOST_BYTES:
            raise RegistryError(f"{path}: is larger than {_MOST_BYTES >> 20} MB: a registry file is small")
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            # Reading a pipe would wait for ever.
            raise RegistryError(f"{path}: is no file: replace it by a file, or remove it")
        raw = path.read_bytes()
    except OSError as problem:
        if isinstance(problem, FileNotFoundError) and not path.is_symlink():
            return YamlFile(path)
        raise RegistryError(f"{path}: cannot be read ({problem.strerror}): correct it or remove it") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise RegistryError(
            f"{_place(path, line)}: this is not valid YAML in UTF-8: save it as UTF-8"
        ) from None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return YamlFile(path)
        _Tree(path, root).check()
        return YamlFile(path, loader.construct_document(root), root)
    except yaml.reader.ReaderError as problem:
        line, why = text.count("\n", 0, problem.position) + 1, "a character that no text file has"
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        why = " ".join(str(problem.problem).split())
    raise RegistryError(
        f"{_place(path, line)}: {_entry_above(text, line)}this is not valid YAML in UTF-8: {why}"
    )


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with plain numbers only, flags as words, and a limit of depth."""

    def __init__(self, text: str):
        super().__init__(text)
        self._level = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._level += 1
        try:
            if self._level > _MOST_LEVELS:
                raise yaml.composer.ComposerError(
                    None,
                    None,
                    f"more than {_MOST_LEVELS} levels of nesting",
                    self.peek_event().start_mark,  # type: ignore[no-untyped-call]
                )
            return super().compose_node(parent, index)
        finally:
            self._level -= 1

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError):
            # PyYAML's constructors raise whatever the standard library raises, such as for `!!int abc`.
            raise yaml.constructor.ConstructorError(
                None, None, "a value does not have the type of its tag", node.start_mark
            ) from None

    def _flag(self, node: yaml.ScalarNode) -> Flag:
        text = self.construct_scalar(node)
        if text.lower() not in _FLAG_WORDS:
            raise ValueError("!!bool before another word")
        return Flag(text)

    def _day(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            # A date that does not exist stays a text: it is refused where a date is expected, with its key.
            return self.construct_scalar(node)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in _OWN_TAGS]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}bool", _FLAG, list("yYnNtTfFoO"))
_Loader.add_implicit_resolver(f"{_TAG}int", _INTEGER, list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_TAG}float", _DECIMAL, list("-+0123456789."))
_Loader.add_constructor(f"{_TAG}bool", _Loader._flag)
_Loader.add_constructor(f"{_TAG}timestamp", _Loader._day)


class _Tree:
    """Checks the composed nodes, before any value is made of them: repeated keys, and what aliases unfold to."""

    def __init__(self, path: Path, root: yaml.Node):
        self._path, self._root = path, root
        self._costs: dict[int, tuple[int, int]] = {}
        self._open: set[int] = set()

    def check(self) -> None:
        self._cost(self._root, ())

    def _cost(self, node: yaml.Node, loc: tuple[str | int, ...]) -> tuple[int, int]:
        """(Values, levels) of a node with its aliases unfolded. Each node is visited once."""
        if id(node) in self._costs:
            return self._costs[id(node)]
        if id(node) in self._open:
            raise self._wrong(node, loc, "an alias (*) is inside of what it repeats: write the value out")
        self._open.add(id(node))
        values, levels = 1, 1
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node, loc)
        for part, child in _children(node):
            inner = self._cost(child, loc if part is None else (*loc, part))
            values, levels = values + inner[0], max(levels, inner[1] + 1)
        if values > _MOST_VALUES or levels > _MOST_LEVELS:
            raise self._wrong(
                node,
                loc,
                f"its aliases (*) unfold to more than {_MOST_VALUES:,} values or {_MOST_LEVELS} levels",
            )
        self._open.remove(id(node))
        self._costs[id(node)] = values, levels
        return values, levels

    def _check_keys(self, node: yaml.MappingNode, loc: tuple[str | int, ...]) -> None:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            # 1, "1" and 01 are one answer of a scale.
            name = key.value.lstrip("0") or "0" if key.value.isdigit() else key.value
            line = key.start_mark.line + 1
            if name in first:
                raise self._wrong(
                    key,
                    (*loc, key.value),
                    f"this key is there twice (first on line {first[name]}): delete one",
                )
            first[name] = line

    def _wrong(self, node: yaml.Node, loc: Loc, text: str) -> RegistryError:
        line = node.start_mark.line + 1
        return RegistryError(f"{_place(self._path, line)}: {_named(self._path, self._root, loc)}: {text}")


def _children(node: yaml.Node) -> Iterator[tuple[str | int | None, yaml.Node]]:
    """(Part of the place, node) of each node inside a node; None for keys."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield None, key
            yield key.value if isinstance(key, yaml.ScalarNode) else None, value
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)


def _line(root: yaml.Node | None, loc: Loc) -> int:
    """The line of the value, or of the innermost part of its place that the file has."""
    line, node = 1, root
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            # The models name the member of a union that they tried: such a part is no key of the file.
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                    line, node = key.start_mark.line + 1, value
    return line


def _named(path: Path, root: yaml.Node | None, loc: Loc) -> str:
    parts = [_short(part) for part in loc if part != "[key]"]
    if not isinstance(root, yaml.SequenceNode):
        entries = _value(root, str(loc[0])) if len(loc) > 1 and isinstance(loc[1], int) else None
        if isinstance(entries, yaml.SequenceNode) and isinstance(
            entries.value[int(loc[1])], yaml.MappingNode
        ):
            entry = f"{parts[0]}, {_entry_name(entries, int(loc[1]))}"
            return ": ".join(filter(None, (entry, ".".join(parts[2:]))))
        return ": ".join(filter(None, (path.stem, ".".join(parts))))
    if not loc:
        return "entries"
    return ": ".join(filter(None, (_entry_name(root, int(loc[0])), ".".join(parts[1:]))))


def _entry_name(entries: yaml.SequenceNode, number: int) -> str:
    """How messages name an entry of a list: by its id, else by its number from 1."""
    node = entries.value[number] if number < len(entries.value) else None
    found = _value(node, "id")
    name = found.value if isinstance(found, yaml.ScalarNode) and found.value else None
    return f"entry {_short(name) if name else number + 1}"


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key of a mapping, the last one if there are several; None if there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    found = [value for name, value in pairs if isinstance(name, yaml.ScalarNode) and name.value == key]
    return found[-1] if found else None


def _short(part: str | int) -> str:
    text = str(part)
    return text if text.isprintable() and len(text) <= _LONGEST_NAME else f"{text[:20]!r}..."


def _place(path: Path, line: int) -> str:
    return f"{path}, line {line}"


def _entry_above(text: str, line: int) -> str:
    """`entry ID: ` of the entry that a line belongs to, by its `id:` line; a broken file has no tree to ask."""
    for above in reversed(text.splitlines()[:line]):
        if found := _ID_LINE.match(above[:200]):
            return f"entry {_short(found[1])}: "
    return ""
