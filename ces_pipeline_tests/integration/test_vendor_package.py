"""Protects that a vendor of somebody else's package is found, read and pulled from, and that a broken one is named."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_VENDOR = '''
"""Acme: answers as JSON Lines, by its API."""

from collections.abc import Iterator
from datetime import datetime

from ces_pipeline.formats.contract import Reader
from ces_pipeline.http.client import Http
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Vendor, json_lines
from ces_pipeline.vendors.generic.reader import read_json


class Acme(Connector):
    """Pages of answers, numbered from 1."""

    name = "acme"
    readers = ("acme_json",)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        number = state.get("page", 1)
        while rows := http.get("/answers", {"page": number}).data["answers"]:
            number += 1
            yield Page(json_lines(*rows), len(rows), {"page": number})

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        yield Finding(True, "answers")


ACME_JSON = Reader(name="acme_json", title="Acme answers", kind="survey", read=read_json)
VENDOR = Vendor("acme", "Acme", readers=(ACME_JSON,), connectors=(Acme(),))
'''
_PULL = """
import json, sys
from pathlib import Path
from ces_pipeline import Home, land, load_registry
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.storage.lake import Lake


class Server(FakeVendor):
    def answer(self, asked: FakeRequest) -> FakeResponse:
        pages = {"1": [{"id": "a", "score": 2, "at": "2026-03-02T10:00:00Z"}], "2": [{"id": "b", "score": 5, "at": "2026-03-03T10:00:00Z"}]}
        return FakeResponse(data={"answers": pages.get(asked.query["page"], [])})


with Server() as server:
    home = Home(Path(sys.argv[1])).make()
    (home.registry / "surveys.yaml").write_text("[{id: help, scale: ease_1_5}]")
    (home.registry / "sources.yaml").write_text(json.dumps([{
        "id": "acme", "kind": "survey", "reader": "acme_json", "survey": "help",
        "columns": {"response_id": "id", "score": "score", "recorded_at": "at"},
        "api": {"connector": "acme", "base_url": server.url, "since": "2026-03-01"},
    }]))
    registry = load_registry(home.registry)
    for _ in range(2):
        (outcome,) = land(home, registry)
        assert not outcome.failures, outcome.failures
        print(outcome.rows_landed, [day.isoformat() for day in outcome.days])
"""


def install(folder: Path, vendor: str, *, name: str = "acme", target: str = "ces_acme:VENDOR") -> Path:
    """Pip installs a package with this module and one vendor entry point; the folder that it is installed in."""
    files = {
        "ces_acme.py": vendor,
        "ces_acme-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: ces-acme\nVersion: 1.0\n",
        "ces_acme-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "ces_acme-1.0.dist-info/entry_points.txt": f"[ces_pipeline.vendors]\n{name} = {target}\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    files["ces_acme-1.0.dist-info/RECORD"] = record + "ces_acme-1.0.dist-info/RECORD,,\n"
    wheel, site = folder / "ces_acme-1.0-py3-none-any.whl", folder / "site"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return site


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def python(site: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=120
    )


def test_a_vendor_of_another_package_is_pulled_from(tmp_path: Path) -> None:
    site = install(tmp_path, _VENDOR)
    ran = python(site, "-c", _PULL, str(tmp_path / "home"))
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.splitlines() == ["2 ['2026-03-02', '2026-03-03']", "0 []"]


@pytest.mark.parametrize(
    ("vendor", "name", "words"),
    [
        ("import no_such_module\n", "acme", ["acme", "ces-acme", "no_such_module"]),
        ("VENDOR = 3\n", "acme", ["acme", "Vendor"]),
        (_VENDOR, "other", ["other", "acme"]),
        (_VENDOR.replace('"acme_json"', '"csv"'), "acme", ["reader csv", "acme", "generic"]),
        (_VENDOR.replace('name = "acme"', 'name = "zendesk"'), "acme", ["connector zendesk", "acme"]),
    ],
)
def test_a_broken_vendor_is_named_when_vendors_are_loaded(
    tmp_path: Path, vendor: str, name: str, words: list[str]
) -> None:
    site = install(tmp_path, vendor, name=name)
    (tmp_path / "home" / "registry").mkdir(parents=True)
    ran = python(site, "-m", "ces_pipeline", "doctor", "--home", str(tmp_path / "home"))
    said = ran.stdout + ran.stderr
    assert "Traceback" not in said
    assert [word for word in words if word not in said] == [], json.dumps(said)
