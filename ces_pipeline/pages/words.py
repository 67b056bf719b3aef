"""The words of the report in every language, and numbers and dates as they are written there.

A key is the same in all languages; a language without a word for a key fails a test. Names that come from the data or the
registry (surveys, categories, releases) stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from ces_pipeline.pages.periods import PeriodName

Language = Literal["en", "de"]

_EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EN_LONG = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DE_MONTHS = ("Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.")
_DE_LONG = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli"),
    *("August", "September", "Oktober", "November", "Dezember"),
)

_EN = {
    "title": "Customer effort",
    "direction": "Ease runs from 0 to 100. Higher is easier.",
    "period_of": "{period}",
    "week": "week",
    "month": "month",
    "quarter": "quarter",
    "weeks": "weeks",
    "months": "months",
    "quarters": "quarters",
    "week_of": "Week of {day}",
    "quarter_of": "Quarter {quarter} of {year}",
    "header_minimum": "Figures of fewer than {n} answers are not shown ({suppressed}).",
    "header_days": "Days are those of {zone}. Data from {first} to {last}.",
    "header_published": "Published {at}.",
    "health": "State of the data",
    "health_good": "All checks passed.",
    "health_failed": "Checks that failed: {names}.",
    "health_waiting": "{n} day files wait to be cleaned.",
    "health_rejected": "{n} of {landed} landed rows were rejected.",
    "health_restated": "Answers of this {period} changed after they were first published: {days}.",
    "not_complete_note": "This {period} is not complete: its answers are not compared.",
    "part_period": "The {period} by survey",
    "part_hard": "Where it is hard, and what helped",
    "part_rest": "What the figures rest on",
    "contents": "Contents",
    "suppressed": "suppressed",
    "fewer_than": "fewer than {n}",
    "no_answers": "no answers",
    "no_answers_period": "No answers in this {period}.",
    "nobody_asks": "nobody asks here",
    "nothing_yet_title": "No answers yet",
    "nothing_yet": "No answer to a survey about effort is published. {landed} rows landed, {rejected} of them were rejected.",
    "nothing_yet_do": "Put an export into the inbox and start `ces run`. `ces doctor` says what is missing.",
    "no_period": "There is no answer in the {period} that begins on {day}.",
    "no_surveys": "No survey of this page has answers.",
    "question": "Question",
    "scale": "Scale",
    "owner": "Owner",
    "scale_harder": "{min} to {max}; a higher answer is harder",
    "scale_easier": "{min} to {max}; a higher answer is easier",
    "ease": "Ease",
    "ease_axis": "ease, higher is easier",
    "interval": "95 % interval",
    "n": "answers",
    "n_short": "n",
    "difficult_share": "Difficult answers",
    "difficult_axis": "share of difficult answers, higher is harder",
    "response_rate": "Response rate",
    "followed_up": "Followed up",
    "followed_up_of": "of {n} difficult answers whose time is over",
    "csat": "Satisfaction",
    "csat_note": "0 to 100, higher is better",
    "nps": "Recommendation (NPS)",
    "nps_note": "-100 to 100, higher is better",
    "other_kpis": "Satisfaction and recommendation, next to effort",
    "other_kpis_note": "Other questions of the same customers. They are never combined with effort into one number.",
    "of_n": "of {n} answers",
    "of_invited": "of {n} invited",
    "of_views": "of {n} views",
    "no_figure": "no figure",
    "all_days": "all days",
    "change": "Change",
    "than_before": "than the {period} before",
    "points": "points",
    "easier": "easier",
    "harder": "harder",
    "no change shown": "no change shown",
    "verdict_easier": "It was easier than in the {period} before: {change} points ({interval}).",
    "verdict_harder": "It was harder than in the {period} before: {change} points ({interval}).",
    "verdict_none": "No change against the {period} before is shown: {change} points ({interval}).",
    "verdict_why": "Not compared with the {period} before: {why}.",
    "why_not_complete": "the {period} is not complete",
    "why_no_before": "there is no {period} before",
    "why_before_not_complete": "the {period} before is not complete",
    "why_reworded": "reworded",
    "why_suppressed": "suppressed",
    "why_before_suppressed": "the {period} before is suppressed",
    "why_other_scale": "the scale changed",
    "why_too_few_days": "too few days with answers",
    "why_no_variance": "all answers are equal",
    "trend_title": "Ease by {period}",
    "trend_note": "Line: mean ease. Band: its 95 % interval. Bars: number of answers; the dotted line is the minimum of {n}. "
    "Open circle: suppressed, or a {period} that is not complete. The axis shows a part of 0 to 100.",
    "bands_title": "Difficult, neutral and easy answers by {period}",
    "bands_note": "Difficult answers stand on the base line, with the 95 % interval of their share. Empty: suppressed.",
    "answers_title": "The answers as they were given",
    "answers_note": "Number of answers by point of the scale, in the colours of difficult, neutral and easy.",
    "answers_suppressed": "The answers are suppressed: fewer than {n}.",
    "table_of": "Table of the figures",
    "difficult": "difficult",
    "neutral": "neutral",
    "easy": "easy",
    "partial": "not complete",
    "events_title": "Releases, fixes, incidents and changes of the question",
    "release": "Release",
    "fix": "Fix",
    "wording": "Changed wording",
    "scale_change": "Changed scale",
    "incident": "Incident",
    "release_harder": "harder, ease {change} ({interval}), {before} and {after} answers",
    "release_easier": "easier, ease {change} ({interval}), {before} and {after} answers",
    "release_none": "no change shown, ease {change} ({interval}), {before} and {after} answers",
    "release_unknown": "no figure: {why}",
    "version": "version {id}",
    "current_title": "Days since then",
    "current_note": "These days may still get answers. Days of fewer than {n} answers are suppressed.",
    "day": "Day",
    "segments_title": "Whose answers are harder",
    "segments_note": "Ease by segment, from {first} to {last}. Higher is easier. Open circle: suppressed.",
    "mixed_wordings": "two wordings",
    "mixed_scales": "several scales",
    "stages_title": "Along the customer journey",
    "stages_note": "Ease by stage in the week of {day}. Higher is easier. A stage that no survey measures is a gap.",
    "stage": "Stage",
    "process": "Process",
    "categories_title": "Which tickets are harder than comparable answers",
    "categories_note": "Extra effort of a ticket category in points, from {first} to {last}: right is harder. Orange: the interval is "
    "above 0.",
    "category": "Category",
    "persona": "Customer",
    "tickets": "Tickets",
    "extra_effort": "Extra effort, higher is harder",
    "personas_title": "For whom a category is harder",
    "fixes_title": "What the fixes changed",
    "fixes_note": "Change of effort in points after each fix, by every method: below 0 is easier.",
    "method": "Method",
    "verdict": "Verdict",
    "why": "Why there is no figure",
    "change_effort": "Change of effort",
    "incidents_title": "Open incidents",
    "severity": "Severity",
    "what": "What",
    "since": "Since",
    "who": "Who",
    "follow_ups_title": "Call-backs that are missing",
    "follow_ups_note": "Difficult answers whose time for a call-back is over.",
    "missing": "Not followed up",
    "survey": "Survey",
    "comments_title": "Comments of difficult answers",
    "comments_note": "Names, addresses and numbers are removed from the text.",
    "answer": "Answer",
    "comment": "Comment",
    "objectives_title": "Objectives",
    "baseline": "Baseline",
    "value": "Value",
    "target": "Target",
    "by": "by {day}",
    "state": "State",
    "books_title": "What happened to every row",
    "source": "Source",
    "landed": "Landed",
    "accepted": "Accepted",
    "rejected": "Rejected",
    "suspect": "of these suspect",
    "redelivered": "Redelivered",
    "superseded": "Superseded",
    "unlanded": "Taken back",
    "erased": "Erased",
    "newest_day": "Newest day",
    "programme_title": "How well the programme works",
    "metric": "Metric",
    "reason": "Reason",
    "checks_title": "Checks that failed",
    "check": "Check",
    "failures": "Wrong rows",
    "severity_blocking": "blocking",
    "severity_warning": "warning",
    "reading_title": "How to read this page",
    "reading_1": "Each survey is compared with itself. Effort is one figure among others, and there is no figure of the "
    "company as a whole.",
    "reading_2": "The interval holds the true mean in 95 of 100 samples. A change is told if it is larger than chance explains, "
    "among all surveys of the {period}.",
    "reading_3": "A change says that answers differ, not why. Releases and fixes of the same days are listed with what they "
    "changed by themselves.",
    "own_title": "Figures of this installation",
    "no_rows": "No rows.",
    "index_title": "Reports",
    "index_latest": "Newest report",
    "to": "to",
    "and": "and",
    "of": "of",
    "in_all": "in all",
    "yes": "yes",
    "no": "no",
    "summary_title": "Ease, {period} (0 to 100, higher is easier)",
    "summary_difficult": "difficult",
    "summary_line": "{n} {periods}",
    "summary_change": "than the {period} before",
    "sparkline": "last {n} {periods}",
}  # fmt: skip

_DE = {
    "title": "Kundenaufwand",
    "direction": "Leichtigkeit reicht von 0 bis 100. Höher ist leichter.",
    "period_of": "{period}",
    "week": "Woche",
    "month": "Monat",
    "quarter": "Quartal",
    "weeks": "Wochen",
    "months": "Monate",
    "quarters": "Quartale",
    "week_of": "Woche ab {day}",
    "quarter_of": "{quarter}. Quartal {year}",
    "header_minimum": "Zahlen aus weniger als {n} Antworten werden nicht gezeigt ({suppressed}).",
    "header_days": "Tage gelten in der Zone {zone}. Daten vom {first} bis {last}.",
    "header_published": "Veröffentlicht am {at}.",
    "health": "Zustand der Daten",
    "health_good": "Alle Prüfungen bestanden.",
    "health_failed": "Nicht bestandene Prüfungen: {names}.",
    "health_waiting": "{n} Tagesdateien warten auf die Bereinigung.",
    "health_rejected": "{n} von {landed} Zeilen wurden abgelehnt.",
    "health_restated": "Antworten aus diesem Zeitraum änderten sich nach der ersten Veröffentlichung: {days}.",
    "not_complete_note": "Dieser Zeitraum ist nicht vollständig: Seine Antworten werden nicht verglichen.",
    "part_period": "Der Zeitraum nach Umfrage",
    "part_hard": "Wo es schwer ist und was geholfen hat",
    "part_rest": "Worauf die Zahlen beruhen",
    "contents": "Inhalt",
    "suppressed": "unterdrückt",
    "fewer_than": "weniger als {n}",
    "no_answers": "keine Antworten",
    "no_answers_period": "Keine Antworten in diesem Zeitraum.",
    "nobody_asks": "hier fragt niemand",
    "nothing_yet_title": "Noch keine Antworten",
    "nothing_yet": "Es ist keine Antwort auf eine Umfrage zum Aufwand veröffentlicht. {landed} Zeilen wurden geladen, {rejected} davon "
    "abgelehnt.",
    "nothing_yet_do": "Legen Sie einen Export in den Eingangsordner und starten Sie `ces run`. `ces doctor` sagt, was fehlt.",
    "no_period": "Es gibt keine Antwort im Zeitraum ({period}) ab {day}.",
    "no_surveys": "Keine Umfrage dieser Seite hat Antworten.",
    "question": "Frage",
    "scale": "Skala",
    "owner": "Zuständig",
    "scale_harder": "{min} bis {max}; eine höhere Antwort ist schwerer",
    "scale_easier": "{min} bis {max}; eine höhere Antwort ist leichter",
    "ease": "Leichtigkeit",
    "ease_axis": "Leichtigkeit, höher ist leichter",
    "interval": "95-%-Intervall",
    "n": "Antworten",
    "n_short": "n",
    "difficult_share": "Schwierige Antworten",
    "difficult_axis": "Anteil schwieriger Antworten, höher ist schwerer",
    "response_rate": "Antwortquote",
    "followed_up": "Nachgefasst",
    "followed_up_of": "von {n} schwierigen Antworten, deren Frist abgelaufen ist",
    "csat": "Zufriedenheit",
    "csat_note": "0 bis 100, höher ist besser",
    "nps": "Weiterempfehlung (NPS)",
    "nps_note": "-100 bis 100, höher ist besser",
    "other_kpis": "Zufriedenheit und Weiterempfehlung, neben dem Aufwand",
    "other_kpis_note": "Andere Fragen an dieselben Kunden. Sie werden nie mit dem Aufwand zu einer Zahl verrechnet.",
    "of_n": "von {n} Antworten",
    "of_invited": "von {n} Eingeladenen",
    "of_views": "von {n} Ansichten",
    "no_figure": "keine Zahl",
    "all_days": "alle Tage",
    "change": "Änderung",
    "than_before": "gegenüber dem Zeitraum davor",
    "points": "Punkte",
    "easier": "leichter",
    "harder": "schwerer",
    "no change shown": "keine Änderung erkennbar",
    "verdict_easier": "Es war leichter als im Zeitraum davor: {change} Punkte ({interval}).",
    "verdict_harder": "Es war schwerer als im Zeitraum davor: {change} Punkte ({interval}).",
    "verdict_none": "Keine Änderung gegenüber dem Zeitraum davor erkennbar: {change} Punkte ({interval}).",
    "verdict_why": "Kein Vergleich mit dem Zeitraum davor: {why}.",
    "why_not_complete": "der Zeitraum ist nicht vollständig",
    "why_no_before": "es gibt keinen Zeitraum davor",
    "why_before_not_complete": "der Zeitraum davor ist nicht vollständig",
    "why_reworded": "neue Formulierung",
    "why_suppressed": "unterdrückt",
    "why_before_suppressed": "der Zeitraum davor ist unterdrückt",
    "why_other_scale": "die Skala wurde geändert",
    "why_too_few_days": "zu wenige Tage mit Antworten",
    "why_no_variance": "alle Antworten sind gleich",
    "trend_title": "Leichtigkeit nach {period}",
    "trend_note": "Linie: mittlere Leichtigkeit. Band: ihr 95-%-Intervall. Balken: Zahl der Antworten; die gepunktete Linie ist das Minimum "
    "von {n}. Offener Kreis: unterdrückt oder nicht vollständig. Die Achse zeigt einen Teil von 0 bis 100.",
    "bands_title": "Schwierige, neutrale und leichte Antworten nach {period}",
    "bands_note": "Schwierige Antworten stehen auf der Grundlinie, mit dem 95-%-Intervall ihres Anteils. Leer: unterdrückt.",
    "answers_title": "Die Antworten, wie sie gegeben wurden",
    "answers_note": "Zahl der Antworten je Punkt der Skala, in den Farben von schwierig, neutral und leicht.",
    "answers_suppressed": "Die Antworten sind unterdrückt: weniger als {n}.",
    "table_of": "Tabelle der Zahlen",
    "difficult": "schwierig",
    "neutral": "neutral",
    "easy": "leicht",
    "partial": "nicht vollständig",
    "events_title": "Releases, Korrekturen, Vorfälle und Änderungen der Frage",
    "release": "Release",
    "fix": "Korrektur",
    "wording": "Neue Formulierung",
    "scale_change": "Neue Skala",
    "incident": "Vorfall",
    "release_harder": "schwerer, Leichtigkeit {change} ({interval}), {before} und {after} Antworten",
    "release_easier": "leichter, Leichtigkeit {change} ({interval}), {before} und {after} Antworten",
    "release_none": "keine Änderung erkennbar, Leichtigkeit {change} ({interval}), {before} und {after} Antworten",
    "release_unknown": "keine Zahl: {why}",
    "version": "Version {id}",
    "current_title": "Die Tage seitdem",
    "current_note": "Für diese Tage können noch Antworten kommen. Tage mit weniger als {n} Antworten sind unterdrückt.",
    "day": "Tag",
    "segments_title": "Wessen Antworten schwerer sind",
    "segments_note": "Leichtigkeit nach Segment, vom {first} bis {last}. Höher ist leichter. Offener Kreis: unterdrückt.",
    "mixed_wordings": "zwei Formulierungen",
    "mixed_scales": "mehrere Skalen",
    "stages_title": "Entlang der Kundenreise",
    "stages_note": "Leichtigkeit nach Station in der Woche ab {day}. Höher ist leichter. Eine Station ohne Umfrage ist eine Lücke.",
    "stage": "Station",
    "process": "Prozess",
    "categories_title": "Welche Tickets schwerer sind als vergleichbare Antworten",
    "categories_note": "Zusätzlicher Aufwand einer Kategorie in Punkten, vom {first} bis {last}: rechts ist schwerer. Orange: Das Intervall "
    "liegt über 0.",
    "category": "Kategorie",
    "persona": "Kunde",
    "tickets": "Tickets",
    "extra_effort": "Zusätzlicher Aufwand, höher ist schwerer",
    "personas_title": "Für wen eine Kategorie schwerer ist",
    "fixes_title": "Was die Korrekturen geändert haben",
    "fixes_note": "Änderung des Aufwands in Punkten nach jeder Korrektur, mit jeder Methode: unter 0 ist leichter.",
    "method": "Methode",
    "verdict": "Urteil",
    "why": "Warum es keine Zahl gibt",
    "change_effort": "Änderung des Aufwands",
    "incidents_title": "Offene Vorfälle",
    "severity": "Schwere",
    "what": "Was",
    "since": "Seit",
    "who": "Wer",
    "follow_ups_title": "Rückrufe, die fehlen",
    "follow_ups_note": "Schwierige Antworten, deren Frist für einen Rückruf abgelaufen ist.",
    "missing": "Nicht nachgefasst",
    "survey": "Umfrage",
    "comments_title": "Kommentare zu schwierigen Antworten",
    "comments_note": "Namen, Adressen und Nummern sind aus dem Text entfernt.",
    "answer": "Antwort",
    "comment": "Kommentar",
    "objectives_title": "Ziele",
    "baseline": "Ausgangswert",
    "value": "Wert",
    "target": "Ziel",
    "by": "bis {day}",
    "state": "Stand",
    "books_title": "Was aus jeder Zeile wurde",
    "source": "Quelle",
    "landed": "Geladen",
    "accepted": "Angenommen",
    "rejected": "Abgelehnt",
    "suspect": "davon verdächtig",
    "redelivered": "Erneut geliefert",
    "superseded": "Ersetzt",
    "unlanded": "Zurückgenommen",
    "erased": "Gelöscht",
    "newest_day": "Neuester Tag",
    "programme_title": "Wie gut das Programm läuft",
    "metric": "Kennzahl",
    "reason": "Grund",
    "checks_title": "Nicht bestandene Prüfungen",
    "check": "Prüfung",
    "failures": "Falsche Zeilen",
    "severity_blocking": "blockierend",
    "severity_warning": "Warnung",
    "reading_title": "Wie man diese Seite liest",
    "reading_1": "Jede Umfrage wird mit sich selbst verglichen. Der Aufwand ist eine Zahl unter mehreren, und es gibt keine Zahl "
    "für das ganze Unternehmen.",
    "reading_2": "Das Intervall enthält den wahren Mittelwert in 95 von 100 Stichproben. Eine Änderung wird genannt, wenn sie größer ist, als "
    "der Zufall erklärt, unter allen Umfragen des Zeitraums.",
    "reading_3": "Eine Änderung sagt, dass sich Antworten unterscheiden, nicht warum. Releases und Korrekturen derselben Tage stehen dabei, "
    "mit dem, was sie selbst geändert haben.",
    "own_title": "Zahlen dieser Installation",
    "no_rows": "Keine Zeilen.",
    "index_title": "Berichte",
    "index_latest": "Neuester Bericht",
    "to": "bis",
    "and": "und",
    "of": "von",
    "in_all": "insgesamt",
    "yes": "ja",
    "no": "nein",
    "summary_title": "Leichtigkeit, {period} (0 bis 100, höher ist leichter)",
    "summary_difficult": "schwierig",
    "summary_line": "{n} {periods}",
    "summary_change": "gegenüber davor",
    "sparkline": "letzte {n} {periods}",
}  # fmt: skip

CATALOGUE: Mapping[Language, Mapping[str, str]] = {"en": _EN, "de": _DE}
_WHY = {
    "reworded": "why_reworded",
    "suppressed": "why_suppressed",
    "other scale": "why_other_scale",
    "too few days": "why_too_few_days",
    "no variance": "why_no_variance",
}


@dataclass(frozen=True)
class Words:
    """One language: its texts, and how it writes numbers and dates."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its values. Raises KeyError for a key that the catalogue lacks."""
        return CATALOGUE[self.language][key].format(**values)

    def number(self, value: float, digits: int = 0) -> str:
        """`1,234.5` or `1.234,5`; a value that rounds to zero has no sign."""
        text = f"{value:,.{digits}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        text = text.replace("-", "\N{MINUS SIGN}")
        return text.translate(str.maketrans(",.", ".,")) if self.language == "de" else text

    def percent(self, share: float) -> str:
        """A share of 0 to 1 in per cent, with one decimal."""
        return f"{self.number(100 * share, 1)}\N{NO-BREAK SPACE}%"

    def points(self, value: float) -> str:
        """Points with one decimal; a change has its sign with `signed`."""
        return self.number(value, 1)

    def signed(self, value: float) -> str:
        """Points with one decimal and a sign."""
        text = self.number(value, 1)
        return text if text[0] == "\N{MINUS SIGN}" or float(f"{value:.1f}") == 0 else f"+{text}"

    def between(self, low: str, high: str) -> str:
        """An interval of two texts."""
        return f"{low} {self('to')} {high}"

    def day(self, day: date) -> str:
        """`19 Oct 2026` or `19. Okt. 2026`."""
        if self.language == "de":
            return f"{day.day}. {_DE_MONTHS[day.month - 1]} {day.year}"
        return f"{day.day} {_EN_MONTHS[day.month - 1]} {day.year}"

    def short_day(self, day: date) -> str:
        """A day without its year, for axes."""
        if self.language == "de":
            return f"{day.day}.{day.month}."
        return f"{day.day} {_EN_MONTHS[day.month - 1]}"

    def month(self, day: date) -> str:
        """The month of a day, with its year."""
        return f"{(_DE_LONG if self.language == 'de' else _EN_LONG)[day.month - 1]} {day.year}"

    def instant(self, at: datetime, zone: str) -> str:
        """A moment in a time zone."""
        local = at.astimezone(ZoneInfo(zone))
        return f"{self.day(local.date())}, {local:%H:%M}"

    def period(self, period: PeriodName, start: date) -> str:
        """The name of a period: `Week of 19 Oct 2026`, `October 2026`, `Quarter 4 of 2026`."""
        if period == "week":
            return self("week_of", day=self.day(start))
        if period == "month":
            return self.month(start)
        return self("quarter_of", quarter=(start.month + 2) // 3, year=start.year)

    def axis(self, period: PeriodName, start: date) -> str:
        """The name of a period below an axis."""
        if period == "week":
            return self.short_day(start)
        if period == "month":
            return f"{(_DE_MONTHS if self.language == 'de' else _EN_MONTHS)[start.month - 1]}"
        return f"{(start.month + 2) // 3}/{start.year % 100:02}"

    def duration(self, minutes: float) -> str:
        """Minutes in their sensible unit."""
        days = {"en": "days", "de": "Tage"}[self.language]
        if abs(minutes) < 90:
            return f"{self.number(minutes, 0)} min"
        if abs(minutes) < 48 * 60:
            return f"{self.number(minutes / 60, 1)} h"
        return f"{self.number(minutes / 1440, 1)} {days}"

    def why(self, why_null: str, period: PeriodName) -> str:
        """The reason for no change, as `mart.week_changes` has it, in words."""
        if key := _WHY.get(why_null):
            return self(key)
        name = why_null.replace(period, "").split()
        key = {
            ("not", "complete"): "why_not_complete",
            ("no", "before"): "why_no_before",
            ("before", "not", "complete"): "why_before_not_complete",
            ("before", "suppressed"): "why_before_suppressed",
        }[tuple(name)]
        return self(key, period=self(period))
