"""One pull of one source: pages are fetched and landed, then the checkpoint is saved.

A killed pull resumes after the last landed page; landing drops records that are fetched twice. Connectors are in
`vendors/`, requests in `http/`. Pages are read, pseudonymised and split by day like files.
"""

import hashlib
import json
import os
import random
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.fs as pa_fs

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.http.client import Http, RetryPolicy
from ces_pipeline.http.clock import Clock, SystemClock
from ces_pipeline.http.credentials import credentials_of
from ces_pipeline.http.errors import PullError
from ces_pipeline.http.rate_limits import RateLimit
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.land.completeness import Completeness
from ces_pipeline.land.ledger import Delivery
from ces_pipeline.land.step import SourceLanding, land_opened, open_file
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.audit import PULLS
from ces_pipeline.storage.journal import add_rows
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.vendors.catalog import CONNECTORS
from ces_pipeline.vendors.contract import Connector, Page, State, Window

_JOINED_RECORDS = 20_000
_JOINED_BYTES = 32 << 20
"""Small pages land together, up to these limits: every delivery costs the same few files, large or small."""


@dataclass(frozen=True)
class PullState:
    """The checkpoint of a source's pulls.

    asked: fingerprint of the API settings that the state belongs to; a pull with other settings starts from the
    beginning. until: start of the last complete pull; None before the first.
    """

    asked: str
    state: State = field(default_factory=dict)
    until: datetime | None = None


def pull(
    home: Home,
    registry: Registry,
    source: Source,
    *,
    now: datetime | None = None,
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
    retry_policy: RetryPolicy | None = None,
    chance: random.Random | None = None,
) -> SourceLanding:
    """Pull one source to its end and land its records; a failure of the vendor is a line in `failures`.

    now: the moment of the pull, by default from the clock. environment: holds the secrets, by default the process's.
    Pages before a failure have landed. A second pull of the same source waits until the first ends. Raises HomeError
    if the lake or the token file cannot be used.
    """
    assert source.api is not None
    clock = clock or SystemClock()
    now = now or clock.now()
    lake = Lake(home.lake)
    outcome = SourceLanding(source.id, source.kind)
    with exclusive(home.lake / _folder(source) / ".lock"):
        log = RequestLog(source.id, f"{source.id}-{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}")
        session = _Pull(home, registry, source, lake, log, now, outcome)
        try:
            with closing(
                open_http(
                    home,
                    source,
                    log,
                    clock=clock,
                    environment=os.environ if environment is None else environment,
                    retry_policy=retry_policy,
                    chance=chance,
                )
            ) as http:
                session.run(http)
        except HomeError:
            raise
        except CesError as problem:
            failure = str(problem)
            outcome.failures += (
                failure if failure.startswith(f"{source.id}: ") else f"{source.id}: {failure}",
            )
            outcome.is_transient = isinstance(problem, PullError) and problem.is_transient
        finally:
            log.save(lake)
            outcome.requests = len(log.rows)
        _record_pull(lake, log.pull_id, now, outcome)
    return outcome


def _record_pull(lake: Lake, pull_id: str, now: datetime, outcome: SourceLanding) -> None:
    row = {
        "pull_id": pull_id,
        "source_id": outcome.source_id,
        "started_at": now,
        "requests": outcome.requests,
        "records": outcome.records_pulled,
        "rows_landed": outcome.rows_landed,
        "failure": "; ".join(outcome.failures) or None,
        "is_transient": outcome.is_transient,
    }
    add_rows(lake, PULLS, outcome.source_id, now, [row])


def open_http(
    home: Home,
    source: Source,
    log: RequestLog,
    *,
    clock: Clock,
    environment: Mapping[str, str],
    retry_policy: RetryPolicy | None = None,
    chance: random.Random | None = None,
) -> Http:
    """The source's HTTP client, with credentials and rate limits. Raises MissingVariableError before any request."""
    assert source.api is not None
    connector = CONNECTORS[source.api.connector]

    def plain(url: str) -> Http:
        return Http(source.id, url, clock=clock, log=log, retry_policy=retry_policy, chance=chance)

    credentials = credentials_of(
        source,
        basic_user_suffix=connector.basic_user_suffix,
        home=home.root,
        environment=environment,
        open_http=plain,
        clock=clock,
    )
    return Http(
        source.id,
        source.api.base_url,
        clock=clock,
        log=log,
        credentials=credentials,
        rate_limits=_rate_limits(connector, source.api),
        limits_folder=_rate_limits_folder(home),
        retry_policy=retry_policy,
        chance=chance,
    )


def _rate_limits_folder(home: Home) -> Path | None:
    """The folder with the request counts of all sources; None if nothing was ever pulled or the lake is not local."""
    folder = home.lake / "pulls"
    if not folder.is_dir():
        return None
    counts = folder / ".rate_limits"
    counts.mkdir(exist_ok=True)
    return counts


def _rate_limits(connector: Connector, api: Api) -> tuple[RateLimit, ...]:
    if api.requests_per_minute is None:
        return connector.rate_limits
    return (*connector.rate_limits, RateLimit(requests=1, seconds=60 / api.requests_per_minute))


@dataclass
class _Pull:
    """A running pull: fetched pages land while the next pages are fetched and opened.

    _pull_state: the saved checkpoint. _fetched: pages that are fetched but not opened. _landing: the delivery that is
    landing, and its pages. _covered: spans whose records the pages contain in full, with their number.
    """

    home: Home
    registry: Registry
    source: Source
    lake: Lake
    log: RequestLog
    now: datetime
    outcome: SourceLanding
    _pull_state: PullState = field(init=False)
    _fetched: list[Page] = field(default_factory=list)
    _landing: tuple[Future[Delivery | None], list[Page]] | None = None
    _covered: list[tuple[Window, int]] = field(default_factory=list)
    _deliveries: int = 0

    def __post_init__(self) -> None:
        self._pull_state = read_pull_state(self.lake, self.source)
        if _has_damaged_state(self.lake, self.source):
            self.outcome.notes += (
                f"{self.source.id}: lake/{_state_file(self.source)} was damaged, so all records since the start of the "
                "source are asked for again; known ones are dropped",
            )

    def run(self, http: Http) -> None:
        api = self.source.api
        assert api is not None
        connector = CONNECTORS[api.connector]
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="landing") as lander:
            try:
                for page in connector.pages(http, api, self._pull_state.state, self.now):
                    self._take(page, connector, lander)
            except PullError:
                # Pages before the failure are complete, so they are landed.
                self._land_fetched(lander)
                self._finish_landing()
                raise
            self._land_fetched(lander)
            self._finish_landing()
        self._save(PullState(self._pull_state.asked, self._pull_state.state, self.now))
        completeness = Completeness(self.lake, self.source, connector, self.log.pull_id, self.now)
        self.outcome.records_expected = completeness.ask(http, self._covered)

    def _take(self, page: Page, connector: Connector, lander: ThreadPoolExecutor) -> None:
        self._fetched.append(page)
        if page.covers is not None:
            self._covered.append((page.covers, page.records))
        if page.notice is not None:
            self.outcome.notes += (f"{self.source.id}: {page.notice}",)
        records = sum(page.records for page in self._fetched)
        size = sum(len(page.body) for page in self._fetched)
        if not connector.joinable or records >= _JOINED_RECORDS or size >= _JOINED_BYTES:
            self._land_fetched(lander)

    def _land_fetched(self, lander: ThreadPoolExecutor) -> None:
        """Open the fetched pages, finish the previous landing, then start to land them."""
        pages, self._fetched = self._fetched, []
        content = b"".join(page.body for page in pages)
        opened = None
        try:
            if content:
                self._deliveries += 1
                name = f"{self.log.pull_id}-{self._deliveries:06d}"
                opened = open_file(self.source, DeliveredFile.in_memory(name, content))
                self.outcome.notes += opened.notes
        finally:
            self._finish_landing()
        if opened is not None:
            landing = lander.submit(land_opened, self.home, self.registry, self.source, opened, self.now)
            self._landing = landing, pages
        elif pages:
            self._count_landed(pages)

    def _finish_landing(self) -> None:
        """Wait until the current landing ends, count it and save the checkpoint. Raises the landing's error."""
        landing, self._landing = self._landing, None
        if landing is None:
            return
        future, pages = landing
        delivery = future.result()
        if delivery is None:
            self.outcome.files_known += 1
        else:
            self.outcome.add(delivery)
        self._count_landed(pages)

    def _count_landed(self, pages: list[Page]) -> None:
        self.outcome.records_pulled += sum(page.records for page in pages)
        self._save(PullState(self._pull_state.asked, pages[-1].state, self._pull_state.until))
        self.log.save(self.lake)

    def _save(self, pull_state: PullState) -> None:
        if pull_state != self._pull_state:
            write_pull_state(self.lake, self.source, pull_state)
            self._pull_state = pull_state


def read_pull_state(lake: Lake, source: Source) -> PullState:
    """The saved checkpoint; an empty one if there is none, if it is damaged, or if the API settings have changed."""
    asked = _asked(source)
    saved = _saved_state(lake, source)
    if saved is None or saved["asked"] != asked:
        return PullState(asked)
    return PullState(
        asked, saved["state"], datetime.fromisoformat(saved["until"]) if saved["until"] else None
    )


def _has_damaged_state(lake: Lake, source: Source) -> bool:
    is_there = lake.files.get_file_info(_state_file(source)).type != pa_fs.FileType.NotFound
    return is_there and _saved_state(lake, source) is None


def _saved_state(lake: Lake, source: Source) -> dict[str, Any] | None:
    """The saved checkpoint as it was written; None if there is none, or if it is damaged.

    A wrong place in a damaged one would skip records, so it has a check value. Earlier releases wrote none.
    """
    try:
        saved = json.loads(lake.read_bytes(_state_file(source)))
        check = saved.pop("check", None)
        if saved.keys() != {"asked", "state", "until"} or check not in (None, _check(saved)):
            return None
        if saved["until"]:
            datetime.fromisoformat(saved["until"])
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return dict(saved)


def write_pull_state(lake: Lake, source: Source, pull_state: PullState) -> None:
    """Save the checkpoint: synced, then renamed."""
    saved = {
        "asked": pull_state.asked,
        "state": pull_state.state,
        "until": pull_state.until.isoformat() if pull_state.until else None,
    }
    saved |= {"check": _check(saved)}
    lake.write_bytes(_state_file(source), json.dumps(saved, indent=1, sort_keys=True).encode())


def _check(saved: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(saved, sort_keys=True).encode()).hexdigest()[:16]


def _state_file(source: Source) -> str:
    return f"{_folder(source)}/state.json"


def _folder(source: Source) -> str:
    return f"pulls/{source.id}"


def _asked(source: Source) -> str:
    assert source.api is not None
    settings = source.api.model_dump(mode="json", include={"connector", "base_url", "since", "options"})
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
