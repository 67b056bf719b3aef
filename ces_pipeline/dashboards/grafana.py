"""The provisioning of a Grafana: data source, boards and alert rules, as files that it reads at its start.

The password of the reader is in Grafana's environment. The alert rules ask for the incidents that the rules of
alerts.yaml opened, so that a figure is judged in one place only.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from ces_pipeline.dashboards.bi_files import database_of
from ces_pipeline.dashboards.boards import FOLDER, SOURCE, UID, target
from ces_pipeline.errors import HomeError, RegistryError
from ces_pipeline.registry.alerts import Rule
from ces_pipeline.registry.registry import Registry
from ces_pipeline.storage.local_files import replace_file
from ces_pipeline.storage.quote import quote_text

PASSWORD = "CES_PG_PASSWORD"  # noqa: S105 - the name of a variable
_BOARDS = "boards"
_LATE_HOURS = 36
"""A night and a half: a publication that is older is reported."""
_SECONDS = 300
"""How often Grafana asks its boards' files, and evaluates its rules."""
_LONGEST_UID, _LONGEST_TITLE = 40, 190
_NEAR = ("localhost", "127.0.0.1", "::1")


def write_provisioning(
    registry: Registry, environment: Mapping[str, str], folder: Path, path: str | None
) -> list[Path]:
    """Write the files below `folder`, which becomes Grafana's provisioning folder; returns them.

    environment: holds the address of the database. path: where Grafana finds the folder; None: where it is. Raises
    RegistryError if the settings name no database or no reader, HomeError if the folder cannot be written.
    """
    database = registry.settings.exports.postgres
    if database is None or not database.readers:
        raise RegistryError(
            "settings.yaml: Grafana reads the database of `exports.postgres` as the first of its `readers`. Set both"
        )
    address = environment.get(database.url, "").strip()
    if not address:
        raise RegistryError(
            f"the environment variable {database.url} is not set: the data source needs its host"
        )
    files = {
        "datasources/ces.yaml": _yaml(data_source(address, database.readers[0])),
        "dashboards/ces.yaml": _yaml(provider(f"{path or folder.resolve()}/{_BOARDS}")),
        "alerting/ces.yaml": _yaml(alert_rules(registry.alerts.rules)),
        **{f"{_BOARDS}/{name}": text for name, text in boards().items()},
    }
    written = []
    try:
        for name, text in files.items():
            target_file = folder / name
            target_file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(target_file, text.encode())
            written.append(target_file)
    except OSError as problem:
        raise HomeError(
            f"{folder} cannot be written ({problem.strerror or type(problem).__name__})"
        ) from problem
    return written


def boards() -> dict[str, str]:
    """File name -> text of the boards that ship."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.json"))}


def data_source(address: str, reader: str) -> dict[str, Any]:
    """The data source of a database for one of its readers. Raises CesError if the address names no host."""
    host, port, database = database_of(address)
    given = parse_qs(urlsplit(address).query).get("sslmode", [])
    mode = given[0] if given else "disable" if host in _NEAR else "require"
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "ces",
                "uid": UID,
                "type": SOURCE["type"],
                "access": "proxy",
                "url": f"{host}:{port}",
                "user": reader,
                "editable": False,
                "jsonData": {"database": database, "sslmode": mode, "postgresVersion": 1500},
                "secureJsonData": {"password": f"${PASSWORD}"},
            }
        ],
    }


def provider(path: str) -> dict[str, Any]:
    """What reads the boards from a folder of Grafana's machine."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "ces",
                "orgId": 1,
                "folder": "Customer effort",
                "folderUid": "ces",
                "type": "file",
                "disableDeletion": True,
                "allowUiUpdates": False,
                "updateIntervalSeconds": _SECONDS,
                "options": {"path": path},
            }
        ],
    }


def alert_rules(rules: tuple[Rule, ...]) -> dict[str, Any]:
    """A rule of Grafana for each rule of alerts.yaml, and one that the published figures are old."""
    asked = [
        _rule(
            _uid(rule.id),
            f"{rule.id}: {rule.condition}",
            f"select count(*) as open_incidents from audit.incidents where rule_id = {quote_text(rule.id)} "
            "and state in ('open', 'acknowledged')",
            {"severity": rule.severity, "owner": rule.owner},
            f"Open incidents of the rule {rule.id}. `ces show open_incidents` lists them.",
        )
        for rule in rules
    ]
    late = _rule(
        "ces-published-late",
        "the published figures are old",
        "select count(*) as late from audit.publication "
        f"where published_at < now() - interval '{_LATE_HOURS} hours'",
        {"severity": "critical", "owner": "CX data team"},
        f"Nothing was published for {_LATE_HOURS} hours. Look at `ces doctor`.",
    )
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": "ces",
                "folder": "Customer effort",
                "interval": f"{_SECONDS}s",
                "rules": [*asked, late],
            }
        ],
    }


def _uid(rule_id: str) -> str:
    """The uid of a rule, of at most 40 letters: made from a long id by its digest."""
    uid = f"ces-{rule_id.replace('_', '-')}"
    return uid if len(uid) <= _LONGEST_UID else f"ces-{hashlib.sha256(rule_id.encode()).hexdigest()[:32]}"


def _literal(text: str) -> str:
    """A text in which Grafana replaces no variable of its environment."""
    return text.replace("$", "$$")


def _rule(uid: str, title: str, query: str, labels: dict[str, str], summary: str) -> dict[str, Any]:
    # A query without rows would be an error of its own; a count always has one.
    lasting = {"from": _SECONDS, "to": 0}
    return {
        "uid": uid,
        "title": _literal(title)[:_LONGEST_TITLE],
        "condition": "B",
        "for": "0s",
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": {name: _literal(value) for name, value in labels.items()},
        "annotations": {"summary": summary},
        "data": [
            {
                "refId": "A",
                "datasourceUid": UID,
                "relativeTimeRange": lasting,
                "model": target(query, "table"),
            },
            {
                "refId": "B",
                "datasourceUid": "__expr__",
                "relativeTimeRange": lasting,
                "model": {
                    "refId": "B",
                    "type": "threshold",
                    "datasource": {"type": "__expr__", "uid": "__expr__"},
                    "expression": "A",
                    "conditions": [{"evaluator": {"type": "gt", "params": [0]}}],
                },
            },
        ],
    }


class _Plain(yaml.SafeDumper):
    """Writes a part that stands in several places in each of them, without anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _yaml(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1_000)
