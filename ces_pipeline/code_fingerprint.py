"""Fingerprints of code: code is an input of every step, like rows and the registry.

A fingerprint covers the text of the given modules and of all modules of the same packages that they import, at any
depth. Comments, docstrings, blank lines and trailing blanks do not count. The text is hashed, not the bytecode, so the
fingerprint is the same under every version of Python.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from ces_pipeline.code_cache import kept

_PACKAGE = Path(__file__).resolve().parent
_STRING_OR_COMMENT = re.compile(
    r'(?P<string>"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')|#[^\n]*',
    re.DOTALL,
)

PLUMBING = (
    "ces_pipeline.code_cache",
    "ces_pipeline.code_fingerprint",
    "ces_pipeline.errors",
    "ces_pipeline.home",
    "ces_pipeline.http",
    "ces_pipeline.registry",
    "ces_pipeline.rules.catalog",
    "ces_pipeline.schemas",
    "ces_pipeline.storage",
)
"""Modules and packages that are left out, because their code decides no row. The steps add the values of the registry
and of the schemas to their fingerprints themselves."""


def code_fingerprint(modules: Iterable[str], *, without: tuple[str, ...] = PLUMBING) -> str:
    """Fingerprint of the modules and what they import, as 64 hex digits.

    without: modules and packages that are left out if they are imported; a module in `modules` is always included.
    Raises ModuleNotFoundError for a module that does not exist.
    """
    return _fingerprint(tuple(sorted(set(modules))), without)


def modules_behind(modules: Iterable[str], *, without: tuple[str, ...] = PLUMBING) -> list[str]:
    """The names of the modules that `code_fingerprint` covers, sorted."""
    asked = set(modules)
    packages = frozenset({name.partition(".")[0] for name in asked} | {_PACKAGE.name})
    found: set[str] = set()
    to_visit = sorted(asked)
    while to_visit:
        name = to_visit.pop()
        if name in found or (name not in asked and _is_below(name, without)):
            continue
        found.add(name)
        to_visit += _imported(name, packages)
    return sorted(found)


@cache
def _fingerprint(modules: tuple[str, ...], without: tuple[str, ...]) -> str:
    packages = {name.partition(".")[0] for name in (*modules, _PACKAGE.name)}
    homes = [path.parent for name in packages if (path := _path(name)) and path.name == "__init__.py"]
    if len(homes) < len(packages):
        return _computed(modules, without)
    found: str = kept("code_fingerprint", [modules, without], homes, partial(_computed, modules, without))
    return found


def _computed(modules: tuple[str, ...], without: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in modules_behind(modules, without=without):
        digest.update(f"{name}\0{_code(name)}\0".encode())
    return digest.hexdigest()


def _is_below(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@cache
def _path(name: str) -> Path | None:
    """The file of a module; None if there is no module of that name."""
    first, *rest = name.split(".")
    if first == _PACKAGE.name:
        inside = _PACKAGE.joinpath(*rest)
        file = inside.with_suffix(".py") if rest else inside / "__init__.py"
        return next((path for path in (file, inside / "__init__.py") if path.is_file()), None)
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


@cache
def _parsed(name: str) -> tuple[str, ast.Module]:
    path = _path(name)
    if path is None:
        raise ModuleNotFoundError(f"no module {name}", name=name)
    text = path.read_text(encoding="utf-8")
    return text, ast.parse(text)


@cache
def _code(name: str) -> str:
    """The text of a module without comments, docstrings and blank lines."""
    text, tree = _parsed(name)
    lines = text.splitlines()
    for node in _statements(tree.body):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        own_lines = not lines[node.lineno - 1].encode()[: node.col_offset].strip()
        if isinstance(node.value.value, str) and own_lines:
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    kept = _STRING_OR_COMMENT.sub(lambda found: found["string"] or "", "\n".join(lines))
    return "\n".join(line.rstrip() for line in kept.splitlines() if line.strip())


@cache
def _imported(name: str, packages: frozenset[str]) -> tuple[str, ...]:
    """The modules of these top-level packages that a module imports, without imports only for type checkers."""
    return tuple(sorted(set(_imports(name, packages))))


def _imports(name: str, packages: frozenset[str]) -> Iterator[str]:
    _, tree = _parsed(name)
    for node in _statements(tree.body, also_unexecuted=False):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_module(alias.name, packages))
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(name, node)
            if not _is_module(base, packages):
                continue
            inside = [f"{base}.{alias.name}" for alias in node.names]
            modules = [module for module in inside if _is_module(module, packages)]
            yield from modules
            if len(modules) < len(inside):
                yield base


def _statements(body: Iterable[ast.stmt], *, also_unexecuted: bool = True) -> Iterator[ast.stmt]:
    """The statements of a body, at any depth. Expressions have none, and they are most of a module.

    also_unexecuted: with those below `if TYPE_CHECKING:`.
    """
    to_visit = list(body)
    while to_visit:
        node = to_visit.pop()
        is_for_checkers = (
            isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        )
        if is_for_checkers and not also_unexecuted:
            continue
        yield node
        for part in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            for name in ("body", "orelse", "finalbody"):
                to_visit += getattr(part, name, ())


def _absolute(name: str, node: ast.ImportFrom) -> str:
    """The absolute name of the module that a `from … import` in module `name` imports from."""
    if not node.level:
        return node.module or ""
    path = _path(name)
    steps_up = node.level - (1 if path is not None and path.name == "__init__.py" else 0)
    parts = name.split(".")
    return ".".join([*parts[: len(parts) - steps_up], *filter(None, [node.module])])


def _is_module(name: str, packages: frozenset[str]) -> bool:
    return name.partition(".")[0] in packages and _path(name) is not None
