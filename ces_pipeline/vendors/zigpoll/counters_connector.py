"""Pulls Zigpoll's counters of its polls as events: how often each poll was shown since the last pull.

The vendor only has the total since a poll was created; here it becomes the increase. `connector.py` pulls the answers.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import BadResponseError, UnavailableError
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, json_lines
from ces_pipeline.vendors.zigpoll.connector import zigpoll_get

_REPEATS = 5
_EVENT_TYPE = "survey_views"


class ZigpollCounters(Connector):
    """Views of the polls of one account: one record per poll whose counter rose since the last pull.

    Records: id, poll_id, event_type (`survey_views`), views, counted_from, counted_until, occurred_at (the middle of
    the two, since the views' own times are not known).
    """

    name = "zigpoll_counters"
    readers = ("json",)
    counts = "polls whose counter rose"
    options: ClassVar[dict[str, str]] = {
        "account": "id of the account whose polls are counted",
        "counter": "the key, in the vendor's list of polls, of the number that counts how often a poll was shown; "
        "with dots for nested keys. `ces doctor` lists the numbers of a poll",
    }

    def check(self, api: Api) -> None:
        for name in self.options:
            if not isinstance(api.options.get(name), str) or not api.options[name]:
                raise ValueError(f"options.{name} is required: {self.options[name]}")

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """One page. state: `read_at`, when the counters were read, and `counters`, poll's id -> the counter's value.

        The first pull only saves the counters' values. A record's id is its poll and the time that it counts from: if a
        pull's state was not saved, the next pull gives the same record with a later end, which landing treats as its
        revision. A poll that is not listed keeps its saved value. A poll that was never listed before counts from 0.
        """
        read_at = datetime.fromisoformat(state["read_at"]) if state else None
        if read_at is not None and now <= read_at:
            # The clock was set back: views since then count in the first pull after the clock has caught up.
            return
        shown = _counters(_polls(http, api), api.options["counter"])
        before: dict[str, int] = state.get("counters", {})
        after = {"read_at": now.isoformat(), "counters": {**before, **shown}}
        if read_at is None:
            notice = f"the counters of {len(shown)} polls are saved; views are counted from now on"
            yield Page(b"", 0, after, notice=notice)
            return
        reset = sorted(poll for poll, count in shown.items() if count < before.get(poll, 0))
        rises = {
            poll: count if poll in reset else count - before.get(poll, 0) for poll, count in shown.items()
        }
        records = [_record(poll, rise, read_at, now) for poll, rise in sorted(rises.items()) if rise]
        yield Page(json_lines(*records), len(records), after, notice=_reset_notice(reset))

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether the account's polls may be listed, and have the counter."""
        polls = _polls(http, api)
        yield Finding(
            bool(polls),
            f"{len(polls)} polls may be read" if polls else "no polls: check api.options.account",
        )
        if polls:
            _counters(polls, api.options["counter"])
            yield Finding(True, f"every poll has {api.options['counter']}")


def _record(poll: str, views: int, start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "id": f"{poll}:{start.isoformat()}",
        "poll_id": poll,
        "event_type": _EVENT_TYPE,
        "views": views,
        "counted_from": start.isoformat(),
        "counted_until": end.isoformat(),
        "occurred_at": (start + (end - start) / 2).isoformat(timespec="milliseconds"),
    }


def _reset_notice(polls: list[str]) -> str | None:
    if not polls:
        return None
    return (
        f"the counter of poll {', '.join(polls)} fell, so it was reset: views are counted from 0, and the views "
        "between the last pull and the reset are not known"
    )


def _polls(http: Http, api: Api) -> list[dict[str, Any]]:
    """All polls of the account. The vendor sends a list, or pages like those of its other lists."""
    found: dict[str, dict[str, Any]] = {}
    cursor, repeats = None, 0
    while True:
        data = zigpoll_get(
            http, api, "/polls", {"accountId": api.options["account"], "startCursor": cursor}
        ).data
        listed = data.get("data") if isinstance(data, dict) else data
        if not isinstance(listed, list):
            raise BadResponseError("Zigpoll's response to /polls is not a list of polls: check api.base_url")
        for poll in listed:
            if not isinstance(poll, dict) or not poll.get("_id"):
                raise BadResponseError(
                    "a poll in Zigpoll's list has no _id, so the vendor changed its list: report it to us"
                )
            found[str(poll["_id"])] = poll
        if not isinstance(data, dict) or not data.get("hasNextPage"):
            return list(found.values())
        following = data.get("endCursor")
        if following and following != cursor:
            cursor, repeats = following, 0
            continue
        repeats += 1
        if repeats > _REPEATS:
            raise UnavailableError(
                "Zigpoll's list of polls always gives the same endCursor, so it has no next page: "
                "the next pull tries again"
            )


def _counters(polls: list[dict[str, Any]], name: str) -> dict[str, int]:
    """Poll's id -> its counter. Raises BadResponseError if a poll lacks the counter; it names the poll's numbers."""
    shown = {}
    for poll in polls:
        numbers = _numbers(poll)
        if name not in numbers:
            listed = ", ".join(sorted(numbers)) or "none"
            raise BadResponseError(
                f"poll {poll['_id']} has no count {name!r}: check api.options.counter (its numbers: {listed})"
            )
        shown[str(poll["_id"])] = numbers[name]
    return shown


def _numbers(poll: dict[str, Any], prefix: str = "") -> dict[str, int]:
    """The integers of a poll that are not negative, by dotted name."""
    found: dict[str, int] = {}
    for name, value in poll.items():
        if isinstance(value, dict):
            found |= _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            found[f"{prefix}{name}"] = value
    return found
