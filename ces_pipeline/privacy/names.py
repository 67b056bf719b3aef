"""Which names of columns, and of members of JSON, speak of a person. Names only; no value is looked at.

Used for the columns that neither a reader nor the registry maps: those that match are pseudonymised.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Any

PERSON = "[person]"
"""What stands in place of people where a keyed hash cannot."""

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_LONGEST_NAME = 5
"""More words than this make a question, whose answers are not people merely because it mentions some."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# English first, then German, French, Spanish, Italian, Portuguese and Dutch; without accents, as `_plain` makes them.
_ALWAYS = _words(
    "email emails mail phone telephone tel fax ip address addr street latitude longitude caller agent assignee "
    "assignees requester requestor submitter recipient recipients reporter respondent participant surname username "
    "firstname lastname fullname nickname ipaddress emailaddress phonenumber userid cc bcc ccs collaborator "
    "collaborators follower followers responder lat lng geolocation birthdate dob ssn passport iban avatar "
    "vorname nachname familienname kundenname kundennummer ansprechpartner bearbeiter benutzername nutzername "
    "telefon telefonnummer handynummer mobilnummer anschrift adresse strasse "
    "prenom courriel apellido apellidos correo telefono celular direccion cognome cellulare indirizzo "
    "sobrenome telefone endereco voornaam achternaam telefoon telefoonnummer klantnummer adres straat"
)
_BIRTHS = _words(
    "birth birthday geburtsdatum geburtstag naissance nacimiento nascita nascimento geboortedatum"
)
"""Dates of birth are dates, which other words for times are not."""
_ONLY_ALONE = _words(
    "name mobile user customer client employee contact author owner visitor person staff actor sender operator "
    "manager supervisor rep member guest subscriber patient kunde klant cliente utente usuario benutzer gebruiker "
    "mitarbeiter nom nombre nome naam"
)
_NAMES = _words("name names nom noms nombre nome naam")
_NAMED = _words(
    "first last full middle maiden family given sur nick display login user customer client contact caller "
    "requester requestor respondent participant agent employee recipient submitter assignee author owner "
    "person member guest visitor staff responder reporter your actor sender operator manager supervisor rep "
    "patient subscriber famille cliente kunde klant utente usuario"
)
_IDENTIFIED = _words(
    "user customer client contact employee person member visitor author device cookie session owner panelist "
    "subscriber network staff guest actor sender operator manager supervisor rep patient card twitter facebook "
    "linkedin instagram whatsapp telegram skype cliente kunde klant utente usuario"
)
_IDENTIFIERS = _words("id ids key number no ref reference guid uuid handle profile nummer numero")
_ACTS = _words(
    "opened resolved closed created updated submitted answered handled modified raised solved requested"
)
_IN_CHARGE = _words("owner manager rep representative supervisor")
_OF = _words("case ticket record account lead opportunity deal sales success support")
_NUMBERED = _words("number phone no")
_ABOUT_SOMETHING_ELSE = _words(
    "at time times minutes seconds hours days stations count date status type channel method config score "
    "rating language role team reason sent segment satisfaction effort experience ease wait duration model "
    "subject body template campaign group stats survey file product company brand verified consent "
    "interactions replies"
)
_QUESTIONS = re.compile(
    r"\b(e-?mail[- ]add?ress?e?s?|your e-?mail|your (?:\w+ )?names?|(?:phone|telephone|mobile) numbers?|"
    r"your (?:\w+ )?(?:phone|mobile|address)|contact details|ihre?n? (?:\w+ )?name|ihre e-?mail|telefonnummer|"
    r"votre (?:nom|prenom|e-?mail|adresse)|adresse (?:e-?mail|electronique)|numero de telephone|"
    r"(?:su|tu) (?:nombre|correo|telefono)|correo electronico|(?:il )?(?:suo|tuo) nome|indirizzo e-?mail|"
    r"numero di telefono|(?:o )?seu (?:nome|e-?mail)|endereco de e-?mail|uw naam|e-?mailadres)\b",
    re.IGNORECASE,
)


def looks_like_people(column_name: str) -> bool:
    """Whether the column's name says that it holds a person: an address, a name, a number or id of one.

    `RecipientEmail`, `caller_id`, `opened_by` do; `product name`, `agent_wait_time_in_minutes`, `User Agent`
    do not.
    """
    plain = _plain(column_name)
    words = [word.lower() for word in _WORD.findall(plain)]
    if len(words) > _LONGEST_NAME or "?" in column_name:
        return bool(_QUESTIONS.search(plain))
    told = set(words)
    if told & _BIRTHS:
        return True
    if not told or told & _ABOUT_SOMETHING_ELSE:
        return False
    pairs = set(pairwise(words))
    if ("user", "agent") in pairs:
        return False
    return (
        bool(told & _ALWAYS)
        or (len(words) == 1 and words[0] in _ONLY_ALONE)
        or (bool(told & _NAMES) and bool(told & _NAMED))
        or ("mobile" in told and bool(told & _NUMBERED))
        or any(first in _IDENTIFIED and second in _IDENTIFIERS for first, second in pairs)
        or any(
            (first in _ACTS and second == "by")
            or (first, second) in (("assigned", "to"), ("requested", "for"), ("reply", "to"))
            for first, second in pairs
        )
        or any(first in _OF and second in _IN_CHARGE for first, second in pairs)
    )


def without_people(value: Any, under: str = "") -> Any:
    """A JSON value with `[person]` for what stands under names that speak of people, at any depth.

    For lists, which stay JSON text in one cell, so that no column's name tells. under: the name that the value itself
    stands under; a bare `name` is a person's where that is: `agents` have people's, `products` do not.
    """
    if isinstance(value, list):
        return [without_people(one, under) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: PERSON if one and _is_person(name, under) else without_people(one, name)
        for name, one in value.items()
    }


@lru_cache(maxsize=10_000)
def _is_person(name: str, under: str) -> bool:
    if under and name.lower() == "name":
        return looks_like_people(f"{under.removesuffix('s')} name")
    return looks_like_people(name)


def _plain(text: str) -> str:
    """The text without accents, and with `ss` for `ß`."""
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
