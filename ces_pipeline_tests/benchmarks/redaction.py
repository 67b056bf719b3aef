"""Measures redaction: what is left readable, what is marked wrongly, and the seconds for a million comments.

`python -m ces_pipeline_tests.benchmarks.redaction [--comments 200000]`. Phone numbers of 31 countries in eight spellings,
IBANs and cards, numbers that are no person's, names of the same delivery's people. Everything is made up from a seed.
Exits 1 if a limit is exceeded.
"""

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
import pyarrow as pa

from ces_pipeline.privacy.known_names import KnownNames
from ces_pipeline.privacy.numbers import without_numbers
from ces_pipeline.privacy.redaction import Redaction

REGIONS = [
    "AR",
    "AT",
    "AU",
    "BE",
    "BR",
    "CA",
    "CH",
    "CN",
    "CZ",
    "DE",
    "DK",
    "ES",
    "FI",
    "FR",
    "GB",
    "GR",
    "HU",
    "ID",
    "IE",
    "IN",
    "IT",
    "JP",
    "KR",
    "MX",
    "NL",
    "NO",
    "PL",
    "PT",
    "SE",
    "US",
    "ZA",
]
SPELLINGS = ("national", "plain", "pairs", "threes", "dots", "dashes", "slashes", "international", "e164")
LEFT_AT_MOST = {"slashes": 0.20}
LEFT_OTHERWISE, ACCOUNTS_LEFT, NAMES_FOUND, NAMES_FALSE, SECONDS = 0.05, 0.01, 0.98, 0.005, 20.0
SENTENCES = ("Call me on {} please", "My number is {}, thanks.", "{} is where you reach me", "Tel: {}")
IBAN_SHAPES = {
    "AT": "16n", "BE": "12n", "CH": "5n12n", "DE": "18n", "DK": "14n", "ES": "20n", "FI": "14n", "FR": "10n11n2n",
    "GB": "4a14n", "GR": "7n16n", "IE": "4a14n", "IT": "1a10n12n", "NL": "4a10n", "NO": "11n", "PL": "24n", "SE": "20n",
}  # fmt: skip
CARDS = {
    "visa": ("4", 16), "old visa": ("4", 13), "mastercard": ("53", 16), "amex": ("37", 15), "diners": ("36", 14),
    "discover": ("6011", 16), "jcb": ("3530", 16), "unionpay": ("62", 16), "maestro": ("6759", 16), "mir": ("2202", 16),
}  # fmt: skip
CARD_GROUPS = {13: (4, 4, 4, 1), 14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4)}
PEOPLE = (
    "Ann Example", "José García", "Müller, Jürgen", "Siobhan O'Connor", "Jean-Luc Picard", "Aisha Khan", "Wei Zhang",
    "Ngozi Okafor", "Kowalska Agnieszka", "Fatima El Amrani", "Björn Åkesson", "Priya Raghunathan", "Dmitri Ivanov",
    "Yuki Tanaka", "Lars van Dijk", "Chloé Lefèvre", "Giulia Rossi", "João Pereira", "Emre Yılmaz", "Katarzyna Nowak",
    "Olumide Adeyemi", "Hannah Becker", "Mateusz Zielinski", "Sofia Papadopoulos", "Liam Gallagher", "Nguyen Thi Hoa",
    "Ravi Subramanian", "Lena Fischer", "Tobias Weber", "Elif Demir", "Tomás Herrera", "Ingrid Solberg", "Pieter de Vries", "Zsófia Nagy",
)  # fmt: skip
NAMED = (
    "{} was very helpful", "Thanks {} for the quick help", "I spoke to {} twice", "Danke an {} für die Hilfe",
    "{} hat mir sofort geholfen", "Merci à {} pour son aide", "Gracias a {} por todo", "The agent ({}) did not call back",
    "Great service by {}!", "{}'s answer was clear", "Ask {}. She knows.", "THE TEAM AND {} WERE GREAT",
)  # fmt: skip
NAME_FREE = (
    "The page took 12 seconds to load", "Will this work on my phone?", "Mark it as solved please", "It was easy",
    "May I suggest a better search?", "Very Easy", "Support was good, the Service too", "Der Versand war langsam",
    "Die Rechnung kam am Montag", "Hope this helps", "Bill was wrong in March", "La commande est arrivée en retard",
    "El pedido llegó tarde", "Guten Tag, alles bestens", "Long wait on Monday", "Grace period was too short",
    "I had to call three times", "Order 4711 took 3 days", "Best Price in the Market", "Rich text editor is broken",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One measured figure and its limit: at most, or at least."""

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def phone_numbers(seed: int, each: int) -> Iterator[tuple[str, phonenumbers.PhoneNumber]]:
    """(region, number): mobile and fixed numbers that `phonenumbers` calls valid, drawn near its examples."""
    chance = random.Random(seed)
    for region in REGIONS:
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(region, kind)
            found = 0
            while example is not None and found < each:
                digits = str(example.national_number)
                cut = chance.randrange(3, len(digits) - 2)
                drawn = digits[:cut] + "".join(chance.choice("0123456789") for _ in digits[cut:])
                number = phonenumbers.PhoneNumber(
                    country_code=example.country_code,
                    national_number=int(drawn),
                    italian_leading_zero=example.italian_leading_zero,
                )
                if phonenumbers.is_valid_number_for_region(number, region):
                    found += 1
                    yield region, number


def spelled(number: phonenumbers.PhoneNumber, spelling: str) -> str:
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    digits = re.sub(r"\D", "", national)
    if spelling == "international":
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    if spelling == "e164":
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    grouped = re.sub(r"\D+", " ", national).strip()
    return {
        "national": national,
        "plain": digits,
        "pairs": " ".join(re.findall(r"\d{1,2}", digits)),
        "threes": " ".join(re.findall(r"\d{1,3}", digits)),
        "dots": grouped.replace(" ", "."),
        "dashes": grouped.replace(" ", "-"),
        "slashes": grouped.replace(" ", "/"),
    }[spelling]


def is_left(shown: str, digits: str) -> bool:
    """Whether six digits in a row of the number can still be read."""
    left = re.sub(r"\D", "", shown)
    return any(digits[start : start + 6] in left for start in range(len(digits) - 5))


def phones_left(seed: int, each: int, home: str | None = None) -> dict[str, float]:
    """Spelling -> share of phone numbers left readable. home: the installation's region, else the number's own."""
    left: dict[str, list[bool]] = {spelling: [] for spelling in SPELLINGS}
    for place, (region, number) in enumerate(phone_numbers(seed, each)):
        regions = () if home == "" else (home or region,)
        for spelling in SPELLINGS:
            text = spelled(number, spelling)
            shown = without_numbers(SENTENCES[place % 4].format(text), regions, sentence=True)
            left[spelling].append(is_left(shown, re.sub(r"\D", "", text)))
    return {spelling: sum(found) / len(found) for spelling, found in left.items()}


def _with_luhn(digits: str) -> str:
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


def accounts(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """(kind, text): IBANs and cards with right check digits, in four spellings."""
    chance = random.Random(seed)
    for country, shape in IBAN_SHAPES.items():
        for place in range(each):
            drawn = "".join(
                chance.choice("0123456789" if kind == "n" else "ABCDEFGHJKLMNPQRSTUVWXYZ")
                for size, kind in re.findall(r"(\d+)([an])", shape)
                for _ in range(int(size))
            )
            check = 98 - int("".join(str(int(letter, 36)) for letter in f"{drawn}{country}00")) % 97
            iban = f"{country}{check:02d}{drawn}"
            fours = re.findall(".{1,4}", iban)
            yield "iban", (iban, " ".join(fours), "-".join(fours), iban.lower())[place % 4]
    for start, length in CARDS.values():
        for place in range(each):
            drawn = start + "".join(chance.choice("0123456789") for _ in range(length - len(start) - 1))
            card = _with_luhn(drawn)
            groups, at = [], 0
            for size in CARD_GROUPS[length]:
                groups.append(card[at : at + size])
                at += size
            yield "card", (card, " ".join(groups), "-".join(groups), ".".join(groups))[place % 4]


def accounts_left(seed: int, each: int) -> dict[str, float]:
    left: dict[str, list[bool]] = {"iban": [], "card": []}
    for kind, text in accounts(seed, each):
        shown = without_numbers(f"Please use {text} for it", ("DE",), sentence=True)
        left[kind].append(is_left(shown, re.sub(r"\D", "", text)))
    return {kind: sum(found) / len(found) for kind, found in left.items()}


def no_persons_numbers(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """(kind, text): dates, times, amounts, versions and addresses of machines."""
    chance = random.Random(seed)
    for _ in range(each):
        day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(2019, 2027)
        hour, minute = chance.randint(0, 23), chance.randint(0, 59)
        whole, rest = chance.randint(1000, 9_999_999), chance.randint(0, 99)
        yield "date", f"{day:02d}.{month:02d}.{year}"
        yield "date", f"{day:02d}/{month:02d}/{year}"
        yield "date", f"{day:02d}-{month:02d}-{year}"
        yield "date", f"{year}-{month:02d}-{day:02d}"
        yield "date", f"{day:02d}.{month:02d}.{year} {hour:02d}:{minute:02d}"
        yield "date", f"{year}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:00Z"
        yield "date", f"{year}/{month:02d}/{day:02d} {hour:02d}:{minute:02d}:30"
        yield "date", f"{day:02d}.{month:02d}.{year} - {min(day + 1, 28):02d}.{month:02d}.{year}"
        yield "date", f"{year}{month:02d}{day:02d}"
        yield "date", f"{year - 1}-{year}"
        yield "amount", f"{whole:,}.{rest:02d}"
        yield "amount", f"{whole:,}".replace(",", ".") + f",{rest:02d} €"
        yield "amount", f"{whole:,}".replace(",", " ") + f",{rest:02d} EUR"
        yield "amount", f"${whole:,}.{rest:02d}"
        yield "amount", f"CHF {whole:,}".replace(",", "'") + f".{rest:02d}"
        yield "amount", f"{whole:,}".replace(",", " ") + " kr"
        yield "amount", f"{whole}.{rest:02d} USD"
        yield "amount", f"₹{whole // 100_000},{whole // 1000 % 100:02d},{whole % 1000:03d}"
        yield "version", f"{chance.randint(1, 20)}.{chance.randint(0, 30)}.{chance.randint(0, 99)}"
        yield (
            "version",
            f"{chance.randint(80, 140)}.0.{chance.randint(1000, 9999)}.{chance.randint(10, 250)}",
        )
        yield "version", f"v{chance.randint(1, 9)}.{chance.randint(0, 9)}.{chance.randint(10000, 99999)}"
        yield "address", ".".join(str(chance.randint(1, 254)) for _ in range(4))


def marked_wrongly(seed: int, each: int, region: str) -> dict[str, float]:
    marked: dict[str, list[bool]] = {}
    for kind, text in no_persons_numbers(seed, each):
        for sentence in (f"It was {text} when it failed", text):
            shown = without_numbers(sentence, (region,), sentence=True)
            marked.setdefault(kind, []).append(shown != sentence)
    return {kind: sum(found) / len(found) for kind, found in marked.items()}


def names_found() -> tuple[float, float]:
    """(share of capitalised names marked, share of name-free comments changed), for people of the same delivery."""
    names = KnownNames()
    names.add(pa.array(PEOPLE))
    spoken = [part for person in PEOPLE for part in (_in_order(person), _in_order(person).split()[0])]
    texts = [
        (sentence.format(name.upper() if sentence.isupper() else name), name)
        for name in spoken
        for sentence in NAMED
    ]
    shown = names.marked(pa.array([text for text, _ in texts])).to_pylist()
    found = [
        not any(part.lower() in (text or "").lower().split() for part in name.split() if len(part) > 3)
        and "[name]" in (text or "")
        for (_, name), text in zip(texts, shown, strict=True)
    ]
    free = names.marked(pa.array(NAME_FREE * 50)).to_pylist()
    false = [text is not None and text != before for before, text in zip(NAME_FREE * 50, free, strict=True)]
    return sum(found) / len(found), sum(false) / len(false)


def _in_order(person: str) -> str:
    last, comma, first = person.partition(", ")
    return f"{first} {last}" if comma else person


def seconds_a_million(comments: int, region: str = "DE") -> float:
    """Seconds for a million different comments of about 20 words, of which 5 % hold a number or an address."""
    chance = random.Random(5)
    words = " ".join(NAME_FREE).split()
    numbers = [spelled(number, "national") for _, number in phone_numbers(1, 20)]
    texts = []
    for place in range(comments):
        text = f"{' '.join(chance.choices(words, k=18))} {place % 977}"
        if place % 20 == 0:
            text += f" call {chance.choice(numbers)[:-1]}{place % 10} or a{place}@example.org"
        if place % 25 == 0:
            text += f" {_in_order(chance.choice(PEOPLE))} helped"
        texts.append(text)
    names = KnownNames()
    names.add(pa.array(PEOPLE))
    redaction = Redaction((region,), names)
    batches = [pa.array(texts[start : start + 50_000]) for start in range(0, comments, 50_000)]
    start = time.perf_counter()
    for batch in batches:
        redaction.names_marked(redaction.redacted(batch, sentence=True))
    return (time.perf_counter() - start) * 1_000_000 / comments


def figures(*, seed: int = 1, each: int = 15) -> Iterator[Figure]:
    """The figures that a machine's speed does not change."""
    for spelling, share in phones_left(seed, each).items():
        yield Figure(f"phones left, {spelling}", share, LEFT_AT_MOST.get(spelling, LEFT_OTHERWISE))
    for kind, share in accounts_left(seed, each).items():
        yield Figure(f"{kind} left", share, ACCOUNTS_LEFT)
    for region in ("DE", "US", "FR", "NO"):
        for kind, share in marked_wrongly(seed, each * 4, region).items():
            # Norway writes its numbers of eight digits in pairs, as some IP addresses are.
            limit = 0.1 if (kind, region) == ("address", "NO") else 0.0
            yield Figure(f"{kind} marked, {region}", share, limit)
    found, false = names_found()
    yield Figure("names found", found, NAMES_FOUND, at_least=True)
    yield Figure("name-free comments changed", false, NAMES_FALSE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--comments", type=int, default=200_000)
    parser.add_argument("--each", type=int, default=40)
    given = parser.parse_args()
    measured = [*figures(each=given.each)]
    measured.append(Figure("seconds for a million comments", seconds_a_million(given.comments), SECONDS))
    for figure in measured:
        sign = ">=" if figure.at_least else "<="
        print(
            f"{figure.name:40} {figure.value:8.3f} {sign} {figure.limit:<6} {'' if figure.holds else 'FAILS'}"
        )
    for spelling, share in phones_left(1, given.each, "").items():
        print(f"no region known: phones left, {spelling:20} {share:8.3f}")
    return 0 if all(figure.holds for figure in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
