"""Findings about the machine: whether the home can be written, who may read it, free disk space, and the clock."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.contract import Finding

_SKEW = timedelta(minutes=2)
_SPARE_BYTES = 200_000_000
"""What landing and cleaning need besides a second copy of the published file."""
_FEW_FILES = 1_000
_NAMED = 3


def writable(home: Home) -> Iterator[Finding]:
    """Whether the folders of the home are there and can be written."""
    home.make()
    yield Finding(True, f"home: {home.root} is writable")


def permissions(home: Home) -> Iterator[Finding]:
    """Folders that this user cannot write, and private folders that every user can read."""
    closed = sorted(
        str(folder) for folder in _folders(home) if not os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    )
    if closed:
        shown = ", ".join(closed[:_NAMED]) + (
            f" and {len(closed) - _NAMED} more" if len(closed) > _NAMED else ""
        )
        yield Finding(
            False,
            f"permissions: this user cannot write {shown}. Run ces as the user who owns {home.root}, or let that "
            f"user run `chmod -R u+rwX {home.root}`; an administrator can run `chown -R USER {home.root}`",
        )
    if not closed:
        yield Finding(True, "permissions: every folder of the home can be read and written")


def _folders(home: Home) -> Iterator[Path]:
    for top in (home.registry, home.inbox, home.lake, home.warehouse, home.reports, home.dagster):
        for folder, _, _ in os.walk(top):
            yield Path(folder)


def disk_space(home: Home) -> Iterator[Finding]:
    """A publish writes a second copy of the published file before it replaces the first."""
    size = home.published.stat().st_size if home.published.is_file() else 0
    needed, free = size + _SPARE_BYTES, shutil.disk_usage(home.root).free
    text = f"disk space: {_gb(free)} free where {home.root} lies; a run needs about {_gb(needed)}"
    if free < needed:
        yield Finding(
            False, f"{text}. Free space (`du -xh {home.root} | sort -h`), or move the home to a larger disk"
        )
    else:
        yield Finding(
            True, f"{text}{'. Free space soon' if free < 3 * needed else ''}", is_warning=free < 3 * needed
        )
    if hasattr(os, "statvfs"):
        status = os.statvfs(home.root)
        if status.f_files and status.f_favail < _FEW_FILES:
            yield Finding(
                False,
                f"disk space: only {status.f_favail} more files can be created where {home.root} lies. Delete files "
                "that are not needed, or move the home to another disk",
            )


def clock(home: Home) -> Iterator[Finding]:
    """A clock that is behind the time of a delivery is wrong now, or was wrong then."""
    deliveries = Ledger.read(Lake(home.lake)).deliveries
    now = datetime.now(UTC)
    ahead = [delivery for delivery in deliveries if delivery.received_at > now + _SKEW]
    if not ahead:
        yield Finding(True, f"clock: {now:%Y-%m-%d %H:%M} UTC, later than every delivery")
        return
    newest = max(ahead, key=lambda delivery: delivery.received_at)
    yield Finding(
        False,
        f"clock: this machine's clock says {now:%Y-%m-%d %H:%M} UTC, but {newest.file_name} of source "
        f"{newest.source_id} was received at {newest.received_at:%Y-%m-%d %H:%M} UTC"
        f"{f', and {len(ahead) - 1} more after now' if len(ahead) > 1 else ''}. Set the clock (`timedatectl`). If the "
        f"clock was wrong when they landed, take them back with `ces unland` and land them again",
    )


def is_open_to_all(path: Path) -> bool:
    """Whether users other than the owner and the group may read a path."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o007)


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
