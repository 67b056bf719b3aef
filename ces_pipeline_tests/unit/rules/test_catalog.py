"""Protects that a rule is one file: what is found, what a file may not leave out, and that one more file is enough."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ces_pipeline
from ces_pipeline.home import shipped
from ces_pipeline.rules.catalog import DEFAULT_SEVERITIES, REASON_NAMES, RULES, load_rules, rules_of
from ces_pipeline.rules.contract import RuleError
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline_tests.builders import SURVEYS, WEB, answer, inbox_home

PACKAGE = Path(ces_pipeline.__file__).parent
SHOUTING = '''"""the comment is in capital letters only"""

from ces_pipeline.rules.contract import Flags, Rule, equals, poison


def is_shouted(facts) -> Flags:
    return facts.rows["comment"].str.isupper().to_numpy(dtype=bool, na_value=False)


RULE = Rule(
    name="shouting", position=155, severity="info", evidence=is_shouted, check=equals(False),
    poison=poison({"comment": "WHY"}),
)
'''
ONE_NIGHT = """
import json, sys
from pathlib import Path
import duckdb
from ces_pipeline import pipeline
from ces_pipeline.home import Home
from ces_pipeline.publish.lineage import column_lineage
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.surveys import ResponseRules
from ces_pipeline.storage.sql_files import sql_files

home = Home(Path(sys.argv[1]))
registry = load_registry(home.registry)
pipeline.land(home, registry)
days = pipeline.stale_days(home, registry, "survey")
list(pipeline.clean(home, registry, "survey", days, run_id="night"))
assert pipeline.publish(home, registry, run_id="night").published
try:
    ResponseRules(severities={"whispering": "off"})
except ValueError as problem:
    refused = str(problem)
query = next(file.query for file in sql_files("mart") if file.name == "quality_daily")
with duckdb.connect(str(home.published), read_only=True) as connection:
    said = {
        "rejected": connection.execute("select response_id, reasons from core.rejected_responses").fetchall(),
        "accepted": connection.execute("select response_id, flags from core.responses order by 1").fetchall(),
        "reasons": connection.execute("select reason, means, default_severity from reference.reasons order by position").fetchall(),
        "quality": connection.execute("select comment_contradicts, shouting, shared_device from mart.quality_daily").fetchall(),
        "columns": [row[0] for row in connection.execute("describe mart.quality_daily").fetchall()],
        "comment": connection.execute("select comment from duckdb_columns() where column_name = 'shouting'").fetchall(),
        "lineage": column_lineage({"q": query}, {"core.responses": ["flags"]})["q"]["shouting"],
        "refused": refused,
    }
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is published by a copy of the package that has one more file."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, copy / "ces_pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(shipped("sql"), copy / "sql")
    shutil.copytree(shipped("registry"), copy / "data" / "registry")
    (copy / "ces_pipeline" / "rules" / "shouting.py").write_text(SHOUTING, encoding="utf-8")
    surveys = [
        {**SURVEYS[0], "rules": {"severities": {"shouting": "reject"}}},
        {"id": "after_call", "scale": "ease_1_5"},
    ]
    sources = [WEB, {**WEB, "id": "calls", "survey": "after_call"}]
    small = inbox_home(copy / "home", *sources, surveys=surveys)
    small.drop("web.csv", [answer(1, comment="WHY"), answer(2)])
    small.drop("calls.csv", [answer(3, comment="WHY"), answer(4, comment=None)], "calls")
    ran = subprocess.run(
        [sys.executable, "-c", ONE_NIGHT, str(small.home.root)],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return said


def test_one_more_file_is_a_rule_that_judges(night: dict[str, Any]) -> None:
    assert night["rejected"] == [["r1", ["shouting"]]]
    assert night["accepted"] == [["r2", []], ["r3", ["shouting"]], ["r4", []]]


def test_one_more_file_is_a_reason_in_its_place(night: dict[str, Any]) -> None:
    place = REASON_NAMES.index("shared_device")
    names = [*REASON_NAMES[:place], "shouting", *REASON_NAMES[place:]]
    assert [row[0] for row in night["reasons"]] == names
    assert night["reasons"][place] == ["shouting", "the comment is in capital letters only", "info"]


def test_one_more_file_is_a_column_of_the_mart_on_quality(night: dict[str, Any]) -> None:
    assert night["columns"][-len(REASON_NAMES) - 1 :] == [row[0] for row in night["reasons"]]
    assert sorted(night["quality"]) == [[0, 1, 0], [0, 1, 0]]
    assert night["comment"] == [["Rows with this reason: the comment is in capital letters only"]]
    assert night["lineage"] == [["core.responses", "flags"]]


def test_one_more_file_is_a_severity_that_the_registry_knows(night: dict[str, Any]) -> None:
    assert "whispering" in night["refused"]
    assert "shouting" in night["refused"]


LACKING = [
    ("docstring", SHOUTING.partition("\n")[2], "has no docstring"),
    ("severity", SHOUTING.replace('severity="info", ', ""), "missing 1 required keyword-only argument: 'severity'"),
    ("position", SHOUTING.replace("position=155, ", ""), "missing 1 required keyword-only argument: 'position'"),
    ("check", SHOUTING.replace(", check=equals(False)", ""), "missing 1 required keyword-only argument: 'check'"),
    ("poison", SHOUTING.replace('poison=poison({"comment": "WHY"}),', ""), "missing 1 required keyword-only argument: 'poison'"),
    ("rows", SHOUTING.replace('poison({"comment": "WHY"})', "poison()"), "the poison of is_shouted has no row"),
    ("rule", SHOUTING.replace("RULE =", "rule ="), "has no RULE = Rule(...)"),
    ("name", SHOUTING.replace('"shouting"', '"shouted"'), "its rule is named 'shouted'"),
    ("known severity", SHOUTING.replace('"info"', '"warning"'), "severity is 'warning'; it must be one of reject, suspect"),
    ("type", SHOUTING.replace(" -> Flags", ""), "the evidence is_shouted must be annotated to return Flags, Counts or Numbers"),
    ("other type", SHOUTING.replace("-> Flags", "-> str"), "the evidence is_shouted must be annotated"),
    ("fitting check", SHOUTING.replace("equals(False)", "equals(0)"), "the check of is_shouted compares with 0"),
    ("known check", SHOUTING.replace("equals(False)", "False"), "the check of is_shouted must be made by equals"),
    ("function", SHOUTING.replace("evidence=is_shouted", "evidence=True"), "evidence is True; it must be a function"),
    ("number", SHOUTING.replace("position=155", 'position="last"'), "position is 'last'"),
    ("kind", SHOUTING.replace("position=155", "position=155, kinds=()"), "holds for no kind"),
    ("rejection", SHOUTING.replace("position=155", 'position=155, kinds=("tickets",)'), "severity must be reject"),
    (
        "comparison",
        SHOUTING.replace("position=155", 'position=155, compares_rows=True, kinds=("tickets",)'),
        "only rows of kind survey are compared",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("part", "text", "problem"), LACKING, ids=[part for part, _, _ in LACKING])
def test_a_file_that_lacks_a_part_is_named_with_the_part(
    part: str, text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = rules_package(tmp_path, monkeypatch, shouting=text)
    with pytest.raises(RuleError) as raised:
        load_rules(package)
    assert f"\nshouting.py: {problem}" in str(raised.value).replace("Rule.__init__() ", "")


def test_a_repeated_position_names_both_files_and_every_problem_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = rules_package(
        tmp_path,
        monkeypatch,
        shouting=SHOUTING,
        crying=SHOUTING.replace('"shouting"', '"crying"'),
        sobbing=SHOUTING,
    )
    with pytest.raises(RuleError) as raised:
        load_rules(package)
    assert "sobbing.py: its rule is named 'shouting'; the name must be that of the file" in str(raised.value)
    assert "shouting.py: position 155 is that of crying.py" in str(raised.value)


def rules_package(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> str:
    """Name of an importable package with these rules, a name of its own for each test."""
    package = f"rules_of_{abs(hash(str(folder)))}"
    (folder / package).mkdir()
    for name, text in {"__init__": "", **files}.items():
        (folder / package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return package


def test_every_file_is_a_rule_and_their_positions_are_the_published_order() -> None:
    files = {path.stem for path in (PACKAGE / "rules").glob("*.py")} - {"__init__", "catalog", "contract"}
    assert {rule.name for rule in RULES} == files
    assert ",".join(REASON_NAMES) == (
        "unreadable_row,unregistered_survey,test_response,incomplete,score_off_scale,unknown_answer,"
        "failed_attention_check,too_fast,missing_time,time_order,in_the_future,duplicate,unknown_value,partial,"
        "fast_for_survey,comment_contradicts,shared_device,straight_lining,slow"
    )


def test_severities_are_as_published() -> None:
    kept = {name: severity for name, severity in DEFAULT_SEVERITIES.items() if severity != "reject"}
    assert kept == {
        "unknown_value": "suspect",
        "partial": "suspect",
        "straight_lining": "suspect",
        "fast_for_survey": "suspect",
        "comment_contradicts": "suspect",
        "shared_device": "info",
        "slow": "info",
    }


def test_the_rules_of_other_kinds_are_as_published() -> None:
    timed = ("unreadable_row", "missing_time", "in_the_future")
    assert {kind: tuple(rule.name for rule in rules_of(kind)) for kind in KINDS if kind != "survey"} == {
        "tickets": timed,
        "invitations": timed,
        "accounts": ("unreadable_row", "missing_person", "missing_time", "time_order"),
        "events": (*timed, "missing_type", "unreadable_value"),
        "follow_ups": (*timed, "missing_answer"),
    }
    assert {kind for rule in RULES for kind in rule.all_kinds} == set(KINDS)


def test_rules_load_without_the_libraries_that_judge_rows() -> None:
    heavy = {"pandas", "numpy", "pandera", "duckdb", "pyarrow"}
    code = f"import sys, ces_pipeline.rules.catalog; print({heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"
