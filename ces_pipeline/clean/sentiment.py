"""Finds comments that contradict their score, by a short list of strong English words.

Only clear contradictions count: the effort is at one end of the scale, and the comment has strong words of the other
end and none of its own end. The result only flags a response; it never rejects one.
"""

import re

import numpy as np
import pandas as pd

_EASY_END, _HARD_END = 20.0, 80.0
_NEGATION = r"(?:not|never|no|nothing|hardly|wasn't|isn't|far from|anything but)\s+(?:\w+\s+){0,2}"
_HARSH = (
    r"\b(?:terrible|awful|horrible|nightmare|worst|useless|unacceptable|impossible|frustrat\w+|painful|ridiculous"
    r"|waste of (?:my )?time|(?:very|so|too|extremely|really) (?:hard|difficult|complicated|slow|confusing))\b"
)
_WARM = (
    r"\b(?:excellent|perfect\w*|amazing|wonderful|fantastic|brilliant|effortless\w*|flawless\w*|outstanding"
    r"|(?:very|so|super|extremely|really) (?:easy|simple|smooth|quick|helpful))\b"
)
# A quick filter: only comments that match this are examined closely.
_STRONG = re.sub(r"\\b|\\w[+*]", "", f"{_HARSH}|{_WARM}")


def contradictions(comments: pd.Series, effort_0_100: np.ndarray) -> np.ndarray:
    """True if the comment contradicts the effort; False if either is missing."""
    found = np.zeros(len(comments), dtype=bool)
    extreme = comments.notna().to_numpy() & ((effort_0_100 <= _EASY_END) | (effort_0_100 >= _HARD_END))
    if not extreme.any():
        return found
    texts = comments[extreme].str.lower()
    strong = texts.str.contains(_STRONG, regex=True).to_numpy(dtype=bool)
    if not strong.any():
        return found
    extreme[extreme] = strong
    texts = texts[strong]
    plain = texts.str.replace(
        _NEGATION + "(?:" + _HARSH + "|" + _WARM + r"|easy|hard|difficult|simple)", " ", regex=True
    )
    harsh = plain.str.contains(_HARSH, regex=True).to_numpy(dtype=bool)
    warm = plain.str.contains(_WARM, regex=True).to_numpy(dtype=bool)
    easy = effort_0_100[extreme] <= _EASY_END
    found[extreme] = np.where(easy, harsh & ~warm, warm & ~harsh)
    return found
