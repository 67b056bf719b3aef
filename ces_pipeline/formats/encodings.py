"""Finds the encoding of text that is not UTF-8, and says how sure that is.

charset-normalizer reads long texts well, but of an export with a few comments it names Korean for Japanese and Central
European for German. So the scripts and alphabets of the languages decide first; the library's answer is a suggestion
for the message when they do not.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import charset_normalizer

_BREAK = re.compile(rb"[\r\n]+")
_SAMPLE_BYTES = 1 << 17
_WORD = re.compile(r"[^\W\d_]+")

_WESTERN = {
    "German": "äöüßéàèç",
    "French": "àâæçéèêëîïôœùûüÿ",
    "Spanish": "áéíñóúüçªº",
    "Portuguese": "áâãàçéêíóôõúüªº",
    "Italian": "àèéìíîòóùúªº",
    "Dutch": "äëïöüéèêçáóíú",
    "Swedish": "åäöéüæø",
    "Danish": "æøåéäöü",
    "Icelandic": "áéíóúýþæöð",
    "Estonian": "äöõüšž",
    "Catalan": "àèéíïòóúüç",
}
_CENTRAL = {
    "Polish": "ąćęłńóśźżäöüé",
    "Czech": "áčďéěíňóřšťúůýžöü",
    "Slovak": "áäčďéíľňóôšťúýž",
    "Hungarian": "áéíóöőúüű",
    "Romanian": "ăâîşţ",
    "Croatian": "čćđšž",
}
_TURKISH = {"Turkish": "çğıöşüâîûi̇"}
_LATIN = {"cp1252": _WESTERN, "cp1250": _CENTRAL, "cp1254": _TURKISH}
_CYRILLIC_ALONE = frozenset("ыьэюяіїєґјљњћђџ")
_CYRILLIC_COMMON = frozenset("оеаинті")
_OTHER_SCRIPTS = ["cp1253", "cp1255", "cp1256", "koi8_r", "cp866", "cp1251", "cp874"]
_OTHER_LATIN = ["cp850", "cp437", "mac_roman", "cp1257", "cp1252", "cp1250"]
_LEAST_LETTERS = 8
_LEAST_ABOVE = 4
_ENOUGH = 0.95


@dataclass(frozen=True)
class Guess:
    """The encoding of a text. encoding: Python's name, None if nothing fits. perhaps: what the library suggests."""

    encoding: str | None
    is_sure: bool
    perhaps: str | None = None


def known_encoding(name: object) -> str | None:
    """Python's own name of an encoding of text; None if Python knows none by this name."""
    try:
        found = codecs.lookup(str(name))
        return found.name if found._is_text_encoding else None
    except LookupError:
        return None


def lines_with_letters(chunks: Iterable[bytes]) -> bytes:
    """The lines of the chunks that hold bytes above 127, up to 128 kB. The cut lines at a chunk's ends are left out."""
    found: list[bytes] = []
    size = 0
    for place, chunk in enumerate(chunks):
        start = chunk.find(b"\n") + 1 if place and b"\n" in chunk else 0
        end = chunk.rfind(b"\n") + 1 or len(chunk)
        for line in _BREAK.split(chunk[start:end]):
            if line.isascii():
                continue
            found.append(line)
            size += len(line)
            if size > _SAMPLE_BYTES:
                return b"\n".join(found)
    return b"\n".join(found)


def guess(sample: bytes) -> Guess:
    """The encoding of lines that are not all UTF-8: damaged UTF-8, Japanese, Korean, Chinese, Cyrillic or Latin."""
    text = sample.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    letters = sum(letter > "\x7f" for letter in text) - damaged
    if letters >= 3 and letters >= 3 * damaged:
        return Guess("utf-8", is_sure=False)
    fitting = [encoding for encoding, fits in _EAST_ASIAN.items() if _fits(sample, encoding, fits)]
    if len(fitting) == 1:
        return Guess(fitting[0], is_sure=True)
    if fitting:
        return Guess(None, is_sure=False, perhaps=" or ".join(fitting))
    if _is_one_script(sample):
        return _cyrillic(sample)
    return _latin(sample)


def _decoded(sample: bytes, encoding: str) -> str | None:
    """The text; None if more than a hundredth of its letters are not defined."""
    text = sample.decode(encoding, "replace")
    return text if text.count("\ufffd") * 100 <= sum(letter > "\x7f" for letter in text) else None


def _fits(sample: bytes, encoding: str, fits: Callable[[str], bool]) -> bool:
    text = _decoded(sample, encoding)
    return text is not None and fits(text)


def _share(letters: str, is_counted: Callable[[str], bool]) -> float:
    return sum(map(is_counted, letters)) / len(letters) if letters else 0.0


def _above_ascii(text: str) -> str:
    return "".join(letter for letter in text if letter > "\x7f")


def _is_kana(letter: str) -> bool:
    return "\u3040" <= letter <= "\u30ff"


def _is_han(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff"


def _is_hangul(letter: str) -> bool:
    return "\uac00" <= letter <= "\ud7a3"


def _is_wide(letter: str) -> bool:
    """Punctuation and wide letters of East Asian texts."""
    return "\u3000" <= letter <= "\u303f" or "\uff00" <= letter <= "\uff60"


def _within(encoding: str, least: bytes, most: bytes) -> Callable[[str], bool]:
    """Whether a letter lies within the part of an encoding that holds its common letters."""

    def is_within(letter: str) -> bool:
        code = letter.encode(encoding, "replace")
        return len(code) == 2 and least <= code <= most

    return is_within


def _is_japanese(text: str) -> bool:
    letters = _above_ascii(text)
    common = _within("cp932", b"\x81\x40", b"\x98\x72")
    known = _share(letters, lambda letter: _is_kana(letter) or _is_wide(letter) or common(letter))
    return known >= 0.9 and _share(letters, _is_kana) >= 0.1


def _is_korean(text: str) -> bool:
    letters = _above_ascii(text)
    # The 2,350 syllables of EUC-KR; Windows' code page adds 8,822 that hardly any text has.
    common = _within("cp949", b"\xb0\xa1", b"\xc8\xfe")
    hangul = "".join(filter(_is_hangul, letters))
    is_long = len(hangul) >= _LEAST_LETTERS
    return is_long and _share(letters, common) >= 0.9 and _share(letters, _is_han) <= 0.02


def _is_chinese(text: str) -> bool:
    letters = _above_ascii(text)
    common = _within("gb18030", b"\xb0\xa1", b"\xd7\xf9")
    han = "".join(filter(_is_han, letters))
    # Korean syllables are Chinese letters up to C8FE here; of Chinese letters, two in five lie above.
    above = _share(han, _within("gb18030", b"\xc9\xa1", b"\xd7\xf9"))
    is_known = _share(letters, lambda letter: common(letter) or _is_wide(letter)) >= 0.85
    return is_known and above >= 0.1 and _share(letters, _is_kana) <= 0.02


def _is_traditional(text: str) -> bool:
    letters = _above_ascii(text)
    common = _within("big5", b"\xa4\x40", b"\xc6\x7e")
    # Two in five letters end in a byte below 7F, which no letter of EUC-KR, EUC-JP or GB 2312 does.
    low = _share(letters, lambda letter: letter.encode("big5", "replace")[-1] < 0x7F)
    return _share(letters, lambda letter: common(letter) or _is_wide(letter)) >= 0.9 and low >= 0.1


_EAST_ASIAN: dict[str, Callable[[str], bool]] = {
    "cp932": _is_japanese,
    "euc_jp": _is_japanese,
    "cp949": _is_korean,
    "gb18030": _is_chinese,
    "big5": _is_traditional,
}


def _is_one_script(sample: bytes) -> bool:
    """Whether words with bytes above 127 have hardly any ASCII letters: then their script is not Latin."""
    words = re.findall(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*", sample)
    above = sum(len(re.findall(rb"[\x80-\xff]", word)) for word in words)
    return above >= 0.9 * sum(map(len, words)) and above >= max(_LEAST_ABOVE, 2 * len(words))


def _cyrillic(sample: bytes) -> Guess:
    text = _decoded(sample, "cp1251")
    letters = _above_ascii(text or "")
    words = [word for word in _WORD.findall(text or "") if word[0] > "\x7f"]
    cyrillic = _share("".join(words), lambda letter: "\u0400" <= letter <= "\u04ff")
    in_case = sum(word[1:].islower() or word.isupper() or len(word) == 1 for word in words)
    common = _share("".join(words).lower(), lambda letter: letter in _CYRILLIC_COMMON)
    # Hebrew letters are the small letters up to ъ here.
    is_own = any(letter.isupper() or letter in _CYRILLIC_ALONE for word in words for letter in word)
    is_cyrillic = cyrillic >= 0.95 and in_case >= 0.9 * len(words) and common >= 0.3 and is_own
    if is_cyrillic and len(letters) >= _LEAST_LETTERS:
        return Guess("cp1251", is_sure=True)
    return Guess(None, is_sure=False, perhaps=_library_says(sample, _OTHER_SCRIPTS))


def _latin(sample: bytes) -> Guess:
    """Western, Central European or Turkish: the code page in which all letters are those of one language."""
    covered = {encoding: _covered(sample, encoding, alphabets) for encoding, alphabets in _LATIN.items()}
    fitting = [encoding for encoding, share in covered.items() if share >= _ENOUGH]
    if len(fitting) == 1:
        return Guess(fitting[0], is_sure=True)
    if fitting:
        same = len({sample.decode(encoding, "replace") for encoding in fitting}) == 1
        return Guess("cp1252" if "cp1252" in fitting else fitting[0], is_sure=same)
    # Names of many languages in one export: more exports are Western than all others.
    names = {"all": "".join(_WESTERN.values())}
    if _covered(sample, "cp1252", names) >= _ENOUGH and not _has_symbols_in_words(sample):
        return Guess("cp1252", is_sure=False)
    return Guess(None, is_sure=False, perhaps=_library_says(sample, _OTHER_LATIN))


def _covered(sample: bytes, encoding: str, alphabets: dict[str, str]) -> float:
    """The largest share of the letters above ASCII that one language's alphabet holds.

    A sign within a word counts against it. 1.0 if the text has signs alone, such as dashes and quotes.
    """
    text = sample.decode(encoding, "replace")
    letters = Counter(_above_ascii("".join(_WORD.findall(text)).lower()))
    wrong = len(re.findall(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’‘´·­](?=[^\W\d_])", text)) + text.count("\ufffd")
    total = letters.total() + wrong
    if not total:
        return 1.0
    return max(
        sum(count for letter, count in letters.items() if letter in alphabet) / total
        for alphabet in alphabets.values()
    )


def _has_symbols_in_words(sample: bytes) -> bool:
    return _covered(sample, "cp1252", {"all": "".join(map(chr, range(0xC0, 0x180)))}) < _ENOUGH


def _library_says(sample: bytes, among: list[str]) -> str | None:
    words = b" ".join(re.findall(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*", sample))
    found = charset_normalizer.from_bytes(words, cp_isolation=among).best()
    return found.encoding if found else None
