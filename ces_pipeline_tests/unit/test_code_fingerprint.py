"""Protects what a fingerprint of code covers: what Python executes, of the modules and all that they import."""

import sys
from pathlib import Path

import pytest

from ces_pipeline import code_cache
from ces_pipeline import code_fingerprint as module
from ces_pipeline.code_fingerprint import code_fingerprint, modules_behind

ROOT = '''"""What it is."""
from demo_vendor import helper
from demo_vendor.nested.inner import value

LIMIT = 3  # the vendor's own


def read(text: str) -> str:
    """Read a text."""
    # A comment.
    return helper.trim(text) + "#" + value
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third-party package `demo_vendor`: reader -> helper, nested.inner."""
    folder = tmp_path / "demo_vendor"
    (folder / "nested").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "nested" / "__init__.py").write_text("")
    (folder / "reader.py").write_text(ROOT)
    (folder / "helper.py").write_text(
        "import json\n\n\ndef trim(text: str) -> str:\n    return text.strip()\n"
    )
    (folder / "nested" / "inner.py").write_text("from ..helper import trim\n\nvalue = trim(' x ')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "demo_vendor"]:
        del sys.modules[name]


def fingerprint(name: str = "demo_vendor.reader") -> str:
    """The fingerprint of the files as they are now."""
    of_module = (module._fingerprint, module._path, module._parsed, module._code, module._imported)
    for cached in (*of_module, code_cache._files):
        cached.cache_clear()
    return code_fingerprint([name])


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_covers_the_modules_of_the_package_that_are_imported_at_any_depth(package: Path) -> None:
    assert modules_behind(["demo_vendor.reader"]) == [
        "demo_vendor.helper",
        "demo_vendor.nested.inner",
        "demo_vendor.reader",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""What it is."""', '"""Something else,\n\non two lines."""'),
        ("    # A comment.\n", ""),
        ("  # the vendor's own", ""),
        ('    """Read a text."""\n', ""),
        ("\n\n\n", "\n\n\n\n\n"),
        ("LIMIT = 3", "# LIMIT = 2\nLIMIT = 3"),
        ("LIMIT = 3", 'LIMIT = 3\n"""What it limits: see "x"."""'),
    ],
)
def test_comments_docstrings_and_blank_lines_do_not_count(package: Path, old: str, new: str) -> None:
    before = fingerprint()
    change(package / "reader.py", old, new)
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("reader.py", "LIMIT = 3", "LIMIT = 4"),
        ("reader.py", '"#"', '"##"'),
        ("reader.py", '"#"', '"# x"'),
        ("helper.py", "strip()", "lstrip()"),
        ("nested/inner.py", "' x '", "' y '"),
    ],
)
def test_code_and_the_text_of_strings_count_wherever_they_are(
    package: Path, file: str, old: str, new: str
) -> None:
    before = fingerprint()
    change(package / file, old, new)
    assert fingerprint() != before


def test_what_only_a_type_checker_imports_does_not_count(package: Path) -> None:
    text = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from demo_vendor.nested import inner\n"
    change(package / "helper.py", "import json\n", text)
    assert modules_behind(["demo_vendor.helper"]) == ["demo_vendor.helper"]


def test_a_module_that_is_left_out_is_not_followed(package: Path) -> None:
    assert modules_behind(["demo_vendor.reader"], without=("demo_vendor.nested",)) == [
        "demo_vendor.helper",
        "demo_vendor.reader",
    ]


def test_a_module_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        code_fingerprint(["ces_pipeline.no_such_module"])


def test_the_plumbing_that_is_left_out_exists() -> None:
    for name in module.PLUMBING:
        assert module._path(name) is not None, name
