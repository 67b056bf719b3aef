"""Names of people in comments: those that the same delivery names in its columns of people, and those after a title.

The names are held in memory while a delivery lands, and never written. Only capitalised words are names: `may` is none.
A word that is also a common one (`Will`, `Mark`, `Rose`) counts where a neighbour is a name too, or inside a sentence.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.privacy import name_words
from ces_pipeline.privacy.distinct import few_distinct

NAME = "[name]"
"""Written in place of a person's name in a text."""

_WORD = re.compile(r"[^\W\d_]+")
_NOT_LETTERS = r"[^\p{L}\p{M}]+"
# A cell with more than five words, or with anything but letters in them, is no person's name.
_NAME_CELL = r"^\s*(?:[\p{L}\p{M}]+[ .,;'’\-]+){0,4}[\p{L}\p{M}]+[ .,;]*$"
_NAME_IN_ADDRESS = r"^\p{L}{3,}[._\-]\p{L}{3,}@"
_MAY_HOLD_A_NAME = rf"{_NAME_IN_ADDRESS}|^[^@\d]*$|[<(\[]"
_BESIDE_A_NAME = r"<[^>]*>|\([^)]*\)|\[[^\]]*\]|\""
_SHORTEST_ALONE = 3
_LOOKED_BACK = 200
"""Characters before a word that show whether it begins a sentence: a long text has many words."""
_START = re.compile(r"(?:^|[.!?:;\n\r•–\"“„(\[-])\s*[\"'“„‘«¿¡(]*$")
_BETWEEN = re.compile(r"[ \u00a0'’-]|\. |, ")
_BETWEEN_ALL = re.compile(r"[^\W\d_]+(?:(?:[ \u00a0'’-]|\. |, )[^\W\d_]+)+")
_SURNAME = (
    r"(?:(?:van|von|de|der|den|di|da|del|la|le|dos|el|al|bin|zu) )*"
    r"[^\W\d_a-zà-öø-ÿß]['’]?[^\W\d_]+(?:-[^\W\d_]+)*"
)
_TITLE = re.compile(
    rf"(?<!\w)(?P<title>(?:(?:{'|'.join(name_words.TITLES)})\.? )*(?:{'|'.join(name_words.TITLES)}))(?P<gap>\.? |\.)"
    r"(?P<name>(?!(?i:" + "|".join(name_words.NO_NAMES_AFTER_TITLES) + r")\b)"
    rf"{_SURNAME}(?: {_SURNAME}){{0,2}})"
)
# The engine behind Arrow's expressions has no look-ahead.
_TITLES_BEFORE = (
    rf"(?:^|[^\p{{L}}])(?:{'|'.join(re.sub(r'[(][?]=.*?[)]', '', title) for title in name_words.TITLES)})"
    r"(?:\. ?| )\p{L}"
)


_PLAIN = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


@lru_cache(maxsize=200_000)
def _folded(word: str) -> str:
    """The word in lower case without accents: `José` and `Jose` are one name."""
    lower = word.casefold()
    if lower.isascii():
        return lower
    plain = unicodedata.normalize("NFKD", lower.translate(_PLAIN))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _spellings(word: str) -> set[str]:
    """The ways in which the word is written without accents: `Müller` is `muller` and `mueller`."""
    return {_folded(word), _folded(unicodedata.normalize("NFC", word.casefold()).translate(_SPELLED_OUT))}


_COMMON = frozenset(" ".join(name_words.COMMON_WORDS.values()).split())
_ALSO_WORDS = frozenset(" ".join(name_words.NAMES_THAT_ARE_WORDS.values()).split())
_ARTICLES = frozenset(" ".join(name_words.ARTICLES.values()).split())
_NOUNS = frozenset(name_words.NAMES_THAT_ARE_NOUNS["German"].split())


@dataclass
class KnownNames:
    """The words of the names of a delivery's people, folded."""

    _words: set[str] = field(default_factory=set)

    def add(self, cells: pa.Array) -> None:
        """Learn the names in cells of a column of people. Cells that are ids, addresses or sentences add nothing."""
        distinct = pc.unique(cells.filter(pc.match_substring_regex(cells, _MAY_HOLD_A_NAME)))
        addresses = distinct.filter(pc.match_substring_regex(distinct, _NAME_IN_ADDRESS))
        shown = pc.replace_substring_regex(distinct, pattern=_BESIDE_A_NAME, replacement=" ")
        names = shown.filter(pc.match_substring_regex(shown, _NAME_CELL))
        for texts in (pc.replace_substring_regex(addresses, pattern="@.*", replacement=""), names):
            for word in pc.unique(pc.list_flatten(pc.split_pattern_regex(texts, _NOT_LETTERS))).to_pylist():
                if len(word) > 1 and _folded(word) not in _COMMON:
                    self._words.update(_spellings(word))

    def __bool__(self) -> bool:
        return bool(self._words)

    def marked(self, texts: pa.Array) -> pa.Array:
        """Each text with `[name]` in place of names; null where a text names no one, or is null itself."""
        distinct = few_distinct(texts)
        if distinct is None:
            return self._marked(texts, None)
        counts = np.bincount(distinct.indices.drop_null().to_numpy(), minlength=len(distinct.dictionary))
        shown = self._marked(distinct.dictionary, counts)
        return (
            shown.take(distinct.indices)
            if shown.null_count < len(shown)
            else pa.nulls(len(texts), pa.string())
        )

    def _marked(self, texts: pa.Array, counts: np.ndarray | None) -> pa.Array:
        """As `marked`. counts: how often each text occurs; None if each occurs once."""
        rows, usual = self._candidates(texts, counts)
        shown: dict[int, str] = {}
        for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True):
            left = self._without_names(text, usual)
            if left != text:
                shown[row] = left
        if not shown:
            return pa.nulls(len(texts), pa.string())
        found = [None] * len(texts)
        for row, text in shown.items():
            found[row] = text  # type: ignore[call-overload]
        return pa.array(found, pa.string())

    def in_text(self, text: str) -> str:
        """One text with `[name]` in place of names: the name of a file or a column."""
        return self._without_names(text, frozenset())

    def in_column(self, name: str) -> str:
        """`[name]` for the name of a column that is a person's name and no more, as where the header is missing."""
        words = _WORD.findall(name)
        is_name = len(words) > 1 and all(word[0].isupper() and self._is_known(word) for word in words)
        return NAME if is_name and _BETWEEN_ALL.fullmatch(name) else name

    def _candidates(
        self, texts: pa.Array, text_counts: np.ndarray | None
    ) -> tuple[np.ndarray, frozenset[str]]:
        """The rows that hold a title or a known word; and the known words that are usual in lower case here."""
        titled = pc.fill_null(pc.match_substring_regex(texts, _TITLES_BEFORE), False).to_numpy(
            zero_copy_only=False
        )
        if not self._words:
            return np.flatnonzero(titled), frozenset()
        words = pc.split_pattern_regex(texts, _NOT_LETTERS)
        flat = pc.list_flatten(words).dictionary_encode()
        distinct = flat.dictionary.to_pylist()
        is_known = np.array([self._is_known(word) for word in distinct], dtype=bool)
        codes = flat.indices.to_numpy(zero_copy_only=False)
        is_capital = np.array([word[:1].isupper() for word in distinct], dtype=bool)
        parents = pc.list_parent_indices(words).to_numpy(zero_copy_only=False)
        weights = None if text_counts is None else text_counts[parents]
        counts = np.bincount(codes, weights, minlength=len(distinct))
        lower: dict[str, int] = {}
        for place in np.flatnonzero(is_known).tolist():
            sign = -1 if is_capital[place] else 1
            word = _folded(distinct[place])
            lower[word] = lower.get(word, 0) + sign * int(counts[place])
        usual = frozenset(word for word, balance in lower.items() if balance > 0)
        hits = (is_known & is_capital)[codes] if len(codes) else np.zeros(0, dtype=bool)
        found = titled.copy()
        found[parents[hits]] = True
        return np.flatnonzero(found), usual

    def _is_known(self, word: str) -> bool:
        folded = _folded(word)
        if not word.isascii() and _spellings(word) & self._words:
            return True
        # `Annas Hilfe` and `Pauls`: the genitive without an apostrophe.
        return folded in self._words or (len(folded) > 4 and folded[-1] == "s" and folded[:-1] in self._words)

    def _without_names(self, text: str, usual: frozenset[str]) -> str:
        text = _TITLE.sub(lambda match: f"{match['title']}{match['gap']}{NAME}", text)
        found = [
            match for match in _WORD.finditer(text) if match[0][0].isupper() and self._is_known(match[0])
        ]
        found = [match for match in found if text[max(match.start() - 1, 0)] != "[" or match[0] != "name"]
        sure = [self._is_sure(match, text, usual) for match in found]
        changed = True
        while changed:
            changed = False
            for place, match in enumerate(found):
                if sure[place]:
                    continue
                neighbours = [near for near in (place - 1, place + 1) if 0 <= near < len(found)]
                # A word next to a sure name is one; two unsure words side by side are a full name too.
                if any(
                    _are_neighbours(text, match, found[near])
                    and (sure[near] or not {match[0].lower(), found[near][0].lower()} & _COMMON)
                    for near in neighbours
                ):
                    sure[place] = changed = True
        parts: list[str] = []
        start = 0
        for match, is_name in zip(found, sure, strict=True):
            if is_name:
                joined = bool(parts) and _BETWEEN.fullmatch(text[start : match.start()]) is not None
                if not joined:
                    parts += [text[start : match.start()], NAME]
                start = match.end()
        return "".join([*parts, text[start:]])

    def _is_sure(self, match: re.Match[str], text: str, usual: frozenset[str]) -> bool:
        """Whether the known, capitalised word is a name without a look at its neighbours."""
        folded = _folded(match[0])
        if folded in _COMMON or len(folded) < 2:
            return False
        if len(folded) < _SHORTEST_ALONE and match[0].isupper():
            return False
        is_word = folded in _ALSO_WORDS or folded in usual
        if not is_word and folded not in _NOUNS:
            return True
        before = text[max(0, match.start() - _LOOKED_BACK) : match.start()]
        article = _WORD.findall(before[-20:])
        if article and _folded(article[-1]) in _ARTICLES:
            return False
        return not is_word or not (match[0].isupper() or _START.search(before))


def _are_neighbours(text: str, word: re.Match[str], other: re.Match[str]) -> bool:
    first, second = (word, other) if word.start() < other.start() else (other, word)
    return bool(_BETWEEN.fullmatch(text[first.end() : second.start()]))
