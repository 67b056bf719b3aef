"""Which column names speak of a person. Names only; no value is looked at.

Used for the columns that neither a reader nor the registry maps: those that match are pseudonymised.
"""

import re
from itertools import pairwise

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_LONGEST_NAME = 5
"""More words than this make a question, whose answers are not people merely because it mentions some."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALWAYS = _words(
    "email emails mail phone telephone fax ip address latitude longitude caller agent assignee assignees "
    "requester requestor submitter recipient recipients reporter respondent participant surname username "
    "firstname lastname fullname nickname ipaddress emailaddress phonenumber userid cc bcc ccs collaborator "
    "collaborators follower followers responder lat lng geolocation birthdate dob ssn passport"
)
_ONLY_ALONE = _words("name mobile user customer client employee contact author owner visitor person staff")
_NAMED = _words(
    "first last full middle family given sur nick display login user customer client contact caller "
    "requester requestor respondent participant agent employee recipient submitter assignee author owner "
    "person member guest visitor staff responder reporter your"
)
_IDENTIFIED = _words(
    "user customer client contact employee person member visitor author device cookie session owner panelist "
    "subscriber network staff guest"
)
_IDENTIFIERS = _words("id ids key number no ref reference guid uuid")
_ACTS = _words("opened resolved closed created updated submitted answered handled modified raised solved")
_NUMBERED = _words("number phone no")
_ABOUT_SOMETHING_ELSE = _words(
    "at time times minutes seconds hours days stations count date status type channel method config score "
    "rating language role team reason sent segment satisfaction effort experience ease wait duration model "
    "subject body template campaign group stats survey file product company brand verified consent "
    "interactions replies"
)
_QUESTIONS = re.compile(
    r"\b(e-?mail addresse?s?|your e-?mail|your (?:\w+ )?names?|(?:phone|telephone|mobile) numbers?|"
    r"your (?:\w+ )?(?:phone|mobile|address)|contact details)\b",
    re.IGNORECASE,
)


def looks_like_people(column_name: str) -> bool:
    """Whether the column's name says that it holds a person: an address, a name, a number or id of one.

    `RecipientEmail`, `caller_id`, `opened_by` do; `product name`, `agent_wait_time_in_minutes`, `User Agent`
    do not.
    """
    words = [word.lower() for word in _WORD.findall(column_name)]
    if len(words) > _LONGEST_NAME or "?" in column_name:
        return bool(_QUESTIONS.search(column_name))
    if not words or any(word in _ABOUT_SOMETHING_ELSE for word in words):
        return False
    told = set(words)
    pairs = set(pairwise(words))
    if ("user", "agent") in pairs:
        return False
    return (
        bool(told & _ALWAYS)
        or (len(words) == 1 and words[0] in _ONLY_ALONE)
        or (bool(told & {"name", "names"}) and bool(told & _NAMED))
        or ("mobile" in told and bool(told & _NUMBERED))
        or any(first in _IDENTIFIED and second in _IDENTIFIERS for first, second in pairs)
        or any(
            (first in _ACTS and second == "by") or (first, second) == ("assigned", "to")
            for first, second in pairs
        )
    )
