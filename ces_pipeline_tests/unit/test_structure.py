"""Protects the structure: which part of the package may import which, and that a vendor stays in its folder."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ces_pipeline
from ces_pipeline.vendors.catalog import VENDORS

PACKAGE = Path(ces_pipeline.__file__).parent
GROUND = {
    "code_cache",
    "errors",
    "folding",
    "home",
    "code_fingerprint",
    "storage",
    "schemas",
    "registry",
    "rules",
    "privacy",
    "formats",
    "http",
}
"""What every step stands on: knows no step."""
MAY_IMPORT = {
    "storage": {"errors", "home", "storage"},
    "schemas": {"folding", "rules", "schemas"},
    "rules": {"rules"},
    "registry": {"errors", "folding", "home", "registry", "rules", "schemas"},
    "formats": {"errors", "folding", "formats", "privacy", "registry", "schemas", "storage"},
    "privacy": {"errors", "folding", "home", "privacy", "storage"},
    "http": {"errors", "folding", "formats", "home", "http", "registry", "schemas", "storage"},
    "vendors": {*GROUND, "vendors"},
    "land": {*GROUND, "land", "vendors"},
    "receive": {*GROUND, "receive", "vendors"},
    "clean": {*GROUND, "clean", "land"},
    "statistics": {"schemas", "statistics"},
    "publish": {*GROUND, "land", "publish", "statistics"},
    "corrections": {*GROUND, "activation", "clean", "corrections", "land", "triggers", "vendors"},
    "proof": {*GROUND, "clean", "proof", "publish", "statistics"},
    "watch": {*GROUND, "publish", "watch"},
    "dashboards": {*GROUND, "dashboards", "publish", "watch"},
    "pipeline": {*GROUND, "clean", "corrections", "dashboards", "land", "proof", "publish", "watch"},
}
"""Part of the package -> the parts that it may import."""


def imports_of(path: Path) -> set[str]:
    """The modules of the package that a file imports when it is run, as `part.module`."""
    found = set()
    open_ends: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while open_ends:
        node = open_ends.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        open_ends += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ces_pipeline"):
            found |= {f"{node.module}.{alias.name}".removeprefix("ces_pipeline.") for alias in node.names}
    return found


FILES = {path: imports_of(path) for path in sorted(PACKAGE.rglob("*.py"))}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_no_part_imports_what_stands_above_it(part: str) -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path, names in FILES.items()
        if part_of(path) == part
        for name in names
        if name.partition(".")[0] not in MAY_IMPORT[part]
    }
    assert wrong == set()


def test_no_modules_import_one_another() -> None:
    modules = {
        str(path.relative_to(PACKAGE).with_suffix("")).replace("/", "."): names
        for path, names in FILES.items()
    }
    graph = {
        module: {name if name in modules else name.rpartition(".")[0] for name in names}
        & modules.keys() - {module}
        for module, names in modules.items()
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as cycle:
        pytest.fail(f"these modules import one another: {cycle.args[1]}")


def test_only_the_pipeline_joins_the_steps() -> None:
    joining = {
        part_of(path) if part_of(path) == path.stem else str(path.relative_to(PACKAGE))
        for path, names in FILES.items()
        if {"land.step", "clean.step", "publish.step"} <= {".".join(name.split(".")[:2]) for name in names}
    }
    assert joining <= {"pipeline"}


def test_transforms_and_steps_do_not_know_dagster() -> None:
    knowing = {
        part_of(path)
        for path in FILES
        if re.search(r"^\s*(from|import) dagster", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert knowing <= {"defs", "definitions", "cli"}


def test_nothing_outside_a_vendors_folder_names_the_vendor() -> None:
    # The demo is made of these vendors' exports; comments may name the source of a quirk.
    names = {vendor.name for vendor in VENDORS} - {"generic"}
    naming = {}
    for path in FILES:
        if part_of(path) in ("vendors", "demo"):
            continue
        words = {
            word
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for text in _texts(node)
            for word in re.findall(r"[a-z_]+", text.lower())
        }
        if found := {name for name in names if any(name in word for word in words)}:
            naming[str(path.relative_to(PACKAGE))] = found
    assert naming == {}


def _texts(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    # A text of several words is for people.
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
        return [node.value]
    return []
