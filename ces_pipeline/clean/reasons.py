"""The reasons for which a response is rejected, marked or counted: their names, meanings and order.

The rules themselves are in `judge.py`; default severities in the registry model (`DEFAULT_SEVERITIES`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    name: str
    means: str


REASONS: tuple[Reason, ...] = (
    Reason("unreadable_row", "the row does not fit the export's own header"),
    Reason("unregistered_survey", "no touchpoint is registered for it"),
    Reason("test_response", "preview, test, spam or staff answer by the platform's own status"),
    Reason("incomplete", "a required answer is blank, or it is unfinished without one"),
    Reason("score_off_scale", "a number outside the registered scale"),
    Reason("unknown_answer", "neither a number nor a label of the registered scale"),
    Reason("failed_attention_check", "an answer that the registry expects is not the expected one"),
    Reason("too_fast", "faster than the survey's floor"),
    Reason("missing_time", "no usable time"),
    Reason("time_order", "submitted before started"),
    Reason("in_the_future", "recorded after it was received"),
    Reason("duplicate", "same respondent, survey and ticket within the window, or a double submit"),
    Reason("partial", "unfinished, with every required answer"),
    Reason("fast_for_survey", "much faster than the survey's answers of the weeks before"),
    Reason("comment_contradicts", "the comment says the opposite of the score"),
    Reason("shared_device", "one device or address used by several people that day"),
    Reason("slow", "slower than the survey's ceiling"),
)
REASON_NAMES: tuple[str, ...] = tuple(reason.name for reason in REASONS)
