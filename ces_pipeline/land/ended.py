"""The landing of a source that has ended: nothing is read, and files that wait in its inbox are named."""

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.inbox import SeenFiles, inbox_files, seen_key
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.land.step import SourceLanding
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.lake import Lake

_NAMED = 3


def land_nothing(home: Home, source: Source) -> SourceLanding:
    """The outcome for a source that has ended. A note names the files of its inbox that have never landed."""
    outcome = SourceLanding(source.id, source.kind)
    files = inbox_files(home, source)
    if not files:
        return outcome
    lake = Lake(home.lake)
    landed = {delivery.delivery_id for delivery in Ledger.read(lake, source.id).deliveries}
    seen = SeenFiles(lake, source.id).load()
    waiting = []
    for path in files:
        try:
            is_known = (seen.sha256(seen_key(home, path), path) or DeliveredFile(path).sha256) in landed
        except (UnreadableFileError, OSError):
            is_known = False
        if not is_known:
            waiting.append(shown_name(path.name))
    if waiting:
        more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
        outcome.notes = (
            f"{source.id}: it ended on {source.ended_on}, so these files in its inbox are not read: "
            f"{', '.join(waiting[:_NAMED])}{more}. Remove them, or correct ended_on in sources.yaml",
        )
    return outcome
