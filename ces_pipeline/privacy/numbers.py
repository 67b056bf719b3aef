"""Numbers that belong to a person, found in text: bank accounts, payment cards and phone numbers.

An IBAN is known by its check digits, a card by Luhn's rule, a phone number by `phonenumbers` with the installation's
own regions, else by its shape. Dates, times, amounts, versions and IP addresses are set aside first, since a phone
number may be written like any of them.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

import phonenumbers

_SPACE = r"[\s.\-/‐-―−·]"
_DATE_PARTS = r"(?P<a>\d{1,4})(?P<s>[./\-]|\. ?| )(?P<b>\d{1,2})(?P=s)(?P<c>\d{2,4})"
_CLOCK = (
    r"(?:[T ,]{1,2}(?:at |um |à )?\d{1,2}[:.h]\d{2}(?::\d{2})?(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)?"
)
_DATE = re.compile(rf"(?<![\w./\-]){_DATE_PARTS}(?![./\-]?\d){_CLOCK}")
_COMPACT_DATE = re.compile(
    r"(?<!\w)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?Z?)?(?!\w)"
)
_TIME = re.compile(r"(?<![\w:])\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?![\w:])")
_YEARS = re.compile(r"(?<!\w)(?:19|20)\d\d ?[-–/ ] ?(?:19|20)\d\d(?!\w)(?![\-/. ]\d)")
_THOUSANDS = r"\d{1,3}(?:(?P<t>[ .,'’\u00a0\u202f])\d{3})(?:(?P=t)\d{3})*"
_CURRENCY = (
    r"(?:[$€£¥₹₽₺₩₪฿₫₴₦]|(?:US|CA|AU|NZ|HK|SG|R)\$|\b(?:EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB"
    r"|BRL|MXN|CAD|AUD|NZD|SGD|HKD|KRW|ZAR|ILS|AED|SAR|THB|IDR|MYR|PHP|VND|UAH|NGN|EGP|ARS|CLP|COP|PEN|Euros?|euros?"
    r"|[Dd]ollars?|[Pp]ounds?|[Ff]rancs?|Franken|Fr|Rs|kr|zł|Kč|Ft|lei|TL|cents?|Cent)\b\.?)"
)
_NUMBER_OF_MONEY = rf"(?:{_THOUSANDS}|\d+)(?:[.,](?:\d{{1,2}}|-+))?(?!\d)"
_AMOUNTS = (
    re.compile(rf"{_CURRENCY}[ \u00a0\u202f]?-?{_NUMBER_OF_MONEY}"),
    re.compile(rf"(?<![\w.,]){_NUMBER_OF_MONEY}[ \u00a0\u202f]?{_CURRENCY}"),
    # With decimals after groups of thousands a number is an amount even without a currency.
    re.compile(rf"(?<![\w.,]){_THOUSANDS}(?!(?P=t))[.,]\d{{1,2}}(?![\w.,]?\d)"),
    re.compile(
        rf"(?<![\w.,])(?:{_THOUSANDS}|\d+)(?:[.,]\d+)? ?(?:%|‰|percent\b|Prozent\b|km\b|kg\b|MB\b|GB\b|KB\b|ms\b)"
    ),
)
_IP = re.compile(r"(?<![\w.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[:/]\d{1,5})?(?![\w]|\.\d)")
_VERSION = re.compile(r"(?<![\d.])[vV]?\d+(?:\.\d+){2,}(?!\d)")
_NAMED_VERSION = re.compile(r"(?:\b[Vv]ersion:? |\b[Vv]\.? ?|[A-Za-z]/)\d+(?:\.\d+)+")
_SOFT_AMOUNT = re.compile(r"[1-9]\d{0,1}(?P<t>[ .])\d{3}(?:(?P=t)\d{3})+")
"""Groups of three after one or two digits: an amount, unless a region has such a number."""

_SEPARATOR = r"[\s().\-/‐-―−·]{0,3}"
_RUN = re.compile(rf"(?<![\w/])(?<!\d[.,])(?<!\w-)[+＋]?\(?\d(?:{_SEPARATOR}\d){{6,}}(?!\w|%)")
_LISTED = re.compile(r"( [/\-–] ?|/ )")
"""Between two numbers of a list."""
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        r"1[-. ]\(?\d{3}\)?[-. ]{1,2}\d{3}[-. ]\d{4}",  # North American, with the trunk 1
        r"\(?\d{3}\)?[-. ]{1,2}\d{3}[-. ]\d{4}",
        r"\(\+?\d{1,5}\)[\d ./\-()]{5,}",
        r"0\d{1,5}[-. /]{1,3}\d{2,8}(?:[-. /]\d{2,5}){0,4}",
        r"0\d(?:[-. /]\d\d){3,5}",
        r"0\d{8,10}",
    )
)
"""What no table of ids, dates or amounts looks like: also marked where no region is known."""
_SHAPES_IN_PROSE = tuple(
    re.compile(shape)
    for shape in (
        r"\d{2,3}(?:[-. /]\d\d){3,5}",  # pairs
        r"\d{4}[-. ]\d{4}",
        r"\d{3}-\d{4}",
        r"0\d{6,}",
    )
)

# Country -> length of its IBAN (SWIFT's IBAN registry).
_IBAN_LENGTHS = {
    code: int(length)
    for length, codes in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC",
        32: "LC", 33: "RU",
    }.items()
    for code in codes.split()
}  # fmt: skip
_IBAN_START = re.compile(rf"(?<![^\W\d_])(?<!\d)[A-Za-z]{{2}}{_SPACE}?\d{_SPACE}?\d(?={_SPACE}?[A-Za-z0-9])")
_CARD_RUN = re.compile(r"(?<![\w])(?<!\d[.,])\d(?:[ \-.\u00a0]?\d){12,}(?!\w)")
_CARD_GROUPS = {
    *((4, 4, 4, 4), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4)),
    *((4, 4, 4, 1), (4, 3, 3, 3), (4, 4, 4, 2), (4, 4, 4, 3), (4, 4, 5)),
}
"""How cards of 13 to 19 digits are grouped."""
_MOST_CARD_GROUPS = max(map(len, _CARD_GROUPS))
_FEWEST_DIGITS = 7
_AROUND = 20
"""Letters next to digits that may say what they are: a country's letters, a currency, a word such as `version`."""
_STRETCH = re.compile(rf"\d(?:[^\d]{{0,{2 * _AROUND}}}\d)*")
_DIGITS_IN_PROSE = 9
"""A sentence's run of so many digits is a phone, order or account number."""


def without_numbers(text: str, regions: tuple[str, ...], *, sentence: bool) -> str:
    """The text with `[iban]`, `[card]`, `[phone]` and (in a sentence) `[number]` in place of such numbers.

    regions: ISO codes of the countries whose numbers are written without a country code. sentence: prose, where a long
    run of digits is a number of a person or of an order; in a table cell it may be anything.
    """
    parts, start = [], 0
    for stretch in _STRETCH.finditer(text):
        if stretch.end() - stretch.start() < _FEWEST_DIGITS:
            continue
        first, last = max(stretch.start() - _AROUND, start), min(stretch.end() + _AROUND, len(text))
        parts += [text[start:first], _without_numbers(text[first:last], regions, sentence)]
        start = last
    return "".join([*parts, text[start:]]) if parts else text


def _without_numbers(text: str, regions: tuple[str, ...], sentence: bool) -> str:
    text = _without_cards(_without_ibans(text), sentence)
    set_aside: list[str] = []
    text = _with_set_aside(text, set_aside, regions)
    text = _RUN.sub(lambda run: _shown_run(run[0], regions, sentence), text)
    return _SET_ASIDE.sub(lambda mark: set_aside[int(mark[1])], text) if set_aside else text


def _without_ibans(text: str) -> str:
    parts, start = [], 0
    for match in _IBAN_START.finditer(text):
        if match.start() < start:
            continue
        end = _iban_end(text, match.start())
        if end:
            parts += [text[start : match.start()], "[iban]"]
            start = end
    return "".join([*parts, text[start:]]) if parts else text


def _iban_end(text: str, start: int) -> int:
    """The end of the IBAN that starts here; 0 if there is none."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return 0
    letters: list[str] = []
    position, gap = start, 0
    while position < len(text) and len(letters) < length:
        letter = text[position]
        if letter.isascii() and letter.isalnum():
            letters.append(letter)
            gap = 0
        elif gap < 2 and re.match(_SPACE, letter):
            gap += 1
        else:
            return 0
        position += 1
    if len(letters) < length or (position < len(text) and text[position].isalnum()):
        return 0
    return position if _has_iban_check_digits("".join(letters)) else 0


def _has_iban_check_digits(iban: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


def _without_cards(text: str, sentence: bool) -> str:
    return _CARD_RUN.sub(lambda run: _shown_card(run[0], sentence), text)


def _shown_card(run: str, sentence: bool) -> str:
    groups = list(re.finditer(r"\d+", run))
    sizes = [len(group[0]) for group in groups]
    if len(groups) == 1:
        # A cell of 13 digits is a time in milliseconds, of 1 and 15 digits one in microseconds.
        lengths = range(13 if sentence else 14, 20)
        starts = "2345689" if sentence else "23456"
        return "[card]" if sizes[0] in lengths and run[0] in starts and _passes_luhn(run) else run
    if 13 <= sum(sizes) <= 19 and _passes_luhn("".join(group[0] for group in groups)):
        return "[card]"
    for first in range(len(groups)):
        for last in range(min(len(groups), first + _MOST_CARD_GROUPS), first, -1):
            if tuple(sizes[first:last]) in _CARD_GROUPS and _passes_luhn(
                "".join(group[0] for group in groups[first:last])
            ):
                before, after = run[: groups[first].start()], run[groups[last - 1].end() :]
                return f"{before}[card]{after}"
    return run


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_SET_ASIDE = re.compile("\ue000([0-9]+)\ue001")
"""A mark in place of a text that is set aside: its number between two characters for private use."""


def _with_set_aside(text: str, set_aside: list[str], regions: tuple[str, ...]) -> str:
    """The text with marks in place of dates, times, amounts, versions and IP addresses, which go to `set_aside`."""

    def aside(is_meant: Callable[[re.Match[str]], bool]) -> Callable[[re.Match[str]], str]:
        def mark(match: re.Match[str]) -> str:
            if "\ue000" in match[0] or not is_meant(match):
                return match[0]
            set_aside.append(match[0])
            return f"\ue000{len(set_aside) - 1}\ue001"

        return mark

    text = text.replace("\ue000", "").replace("\ue001", "")
    for pattern in _AMOUNTS:
        text = pattern.sub(aside(_always), text)
    text = _DATE.sub(aside(_is_date), text)
    text = _COMPACT_DATE.sub(aside(_always), text)
    text = _TIME.sub(aside(_always), text)
    text = _YEARS.sub(aside(_always), text)
    text = _NAMED_VERSION.sub(aside(_always), text)
    text = _IP.sub(aside(lambda match: _is_ip(match, regions)), text)
    return _VERSION.sub(aside(_is_version), text)


def _always(_: re.Match[str]) -> bool:
    return True


def _is_date(match: re.Match[str]) -> bool:
    first, second, third = match["a"], match["b"], match["c"]
    if match["s"] == " " and max(len(first), len(third)) < 4:
        return False
    orders = []
    if len(first) == 4:
        orders.append((first, second, third))
    if len(third) in (2, 4) and len(first) <= 2:
        orders += [(third, second, first), (third, first, second)]
    if len(first) == 2 and len(third) == 2:
        orders.append((first, second, third))
    return any(_is_day(*order) for order in orders)


def _is_day(year: str, month: str, day: str) -> bool:
    if len(day) > 2 or not (len(year) == 2 or 1900 <= int(year) <= 2099):
        return False
    try:
        date(int(year) if len(year) == 4 else 2000 + int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _is_ip(match: re.Match[str], regions: tuple[str, ...]) -> bool:
    groups = match.groups()
    if any(int(group) > 255 or (len(group) > 1 and group[0] == "0") for group in groups):
        return False
    return not any(_prints_in_pairs("".join(groups), region) for region in regions)


@lru_cache(maxsize=10_000)
def _prints_in_pairs(digits: str, region: str) -> bool:
    """Whether the region has this number of eight digits and writes it as four pairs, as an IP address may be."""
    if len(digits) != 8 or not _is_valid(digits, (region,)):
        return False
    number = phonenumbers.parse(digits, region)
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return shown.split() == re.findall("..", digits)


def _is_version(match: re.Match[str]) -> bool:
    groups = match[0].lstrip("vV").split(".")
    if any(len(group) > 1 and group[0] == "0" for group in groups):
        return False
    return any(len(group) == 1 for group in groups[1:]) or (len(groups[0]) == 1 and len(groups) <= 3)


def _shown_run(run: str, regions: tuple[str, ...], sentence: bool) -> str:
    """What is shown for a run of seven digits or more with separators."""
    digits = "".join(letter for letter in run if letter.isdecimal())
    is_bare = len(digits) == len(run)
    if len(digits) > 15 and _LISTED.search(run):
        return "".join(
            part
            if _LISTED.fullmatch(part)
            else _RUN.sub(lambda own: _shown_run(own[0], regions, sentence), part)
            for part in _LISTED.split(run)
        )
    if run[0] in "+＋" and len(digits) <= 17:
        return "[phone]"
    if len(digits) <= 15 and (sentence or not is_bare or digits[0] == "0") and _is_valid(digits, regions):
        return "[phone]"
    if digits.startswith("00") and 9 <= len(digits) <= 17 and (sentence or not is_bare):
        return "[phone]"
    if _SOFT_AMOUNT.fullmatch(run):
        return run
    if not (digits.startswith("00") and is_bare) and any(shape.fullmatch(run) for shape in _SHAPES):
        return "[phone]"
    if not sentence:
        return run
    if any(shape.fullmatch(run) for shape in _SHAPES_IN_PROSE):
        return "[phone]"
    if is_bare:
        return "[number]" if _DIGITS_IN_PROSE <= len(digits) <= 15 else run
    return "[number]" if len(digits) >= _DIGITS_IN_PROSE else run


@lru_cache(maxsize=100_000)
def _is_valid(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether the digits are a number that one of the regions assigns, dialled from there."""
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
