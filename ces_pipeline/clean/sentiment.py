"""Does a comment say the opposite of its score? A short list of strong words; a mark, never a verdict.

Only plain contradictions count: the effort at one end of the scale, strong words of the other end, none of its own.
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
# What any strong word holds: a quick look at every comment, so that few are read closely.
_STRONG = re.sub(r"\\b|\\w[+*]", "", f"{_HARSH}|{_WARM}")


def contradictions(comments: pd.Series, effort_0_100: np.ndarray) -> np.ndarray:
    """True where the comment contradicts the effort (NaN effort, null comment: False)."""
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
