"""Words in times, in the languages of exports: halves of the day, months, weekdays and zone abbreviations."""

MORNING: tuple[str, ...] = (r"a\.? ?m\.?", r"vorm\.?", "午前", "오전", "上午", "凌晨", "早上")
AFTERNOON: tuple[str, ...] = (r"p\.? ?m\.?", r"nachm\.?", "午後", "오후", "下午", "晚上")
"""Patterns of the words for the halves of a 12-hour clock, in lower case. They stand before or after the hour."""

# English, German, French, Spanish, Italian, Portuguese, Dutch; the first letters are enough to know the month.
MONTHS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "jan gen ene",
            "feb fév fev",
            "mar mär mrt maa mrz",
            "apr abr avr",
            "mai may mei mag",
            "jun juin giu",
            "jul juil lug",
            "aug aoû aou ago",
            "sep set",
            "oct okt out ott",
            "nov",
            "dec dez déc dic",
        ),
        start=1,
    )
    for word in words.split()
}
"""First letters of a month's name in lower case -> its number."""

# Read literally: EST is UTC-5 in June too, since that is what the file says.
ZONES: dict[str, int] = {
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "z": 0, "gmt": 0, "utc": 0, "ut": 0, "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3,
}  # fmt: skip
"""Zone abbreviation in lower case -> hours east of UTC."""
