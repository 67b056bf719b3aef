"""Facts about responses: answers on their scales, durations, repeats, people per device. `judge.py` judges them."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from ces_pipeline.clean.answers import BLANK, FITS, NPS_SCALE, OFF_SCALE, UNKNOWN, by_scale, read_answers
from ces_pipeline.clean.columns import floats
from ces_pipeline.clean.context import DayContext
from ces_pipeline.clean.facts import Facts
from ces_pipeline.clean.repeats import repeated
from ces_pipeline.clean.sentiment import contradictions
from ces_pipeline.clean.ticket_ids import ticket_ids_of
from ces_pipeline.clean.unknown_words import RESPONSE_WORDS, unknown_flags
from ces_pipeline.folding import fold
from ces_pipeline.formats.flags import FINISHED, RESPONSE_STATUS, read_word
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.surveys import StraightLining
from ces_pipeline.rules.contract import Counts, Flags, Numbers

_FEWEST_ANSWERS = 3
"""Fewest answers to a matrix whose likeness says anything."""


class ResponseFacts(Facts):
    """Facts about responses."""

    def __init__(self, rows: pd.DataFrame, context: DayContext):
        super().__init__(rows, context.registry)
        self.context = context

    @cached_property
    def score_scales(self) -> list[Scale | None]:
        """The scales that `which_score_scale` points into; None if the survey asks for no score.

        The first are those of the surveys, in order; scales that surveys changed to follow.
        """
        first = [survey.scale for survey in self.surveys]
        later = [name for survey in self.surveys for _, name in survey.scales[1:]]
        return self._scales(*first, *later)

    def _scales(self, *names: str | None) -> list[Scale | None]:
        return [self.registry.scales[name] if name else None for name in names]

    @cached_property
    def which_score_scale(self) -> np.ndarray:
        """Position in `score_scales` of the scale of each row's survey on its day; -1 without a survey."""
        which = self.which.copy()
        place = len(self.surveys)
        for of_survey, survey in enumerate(self.surveys):
            for first_day, _ in survey.scales[1:]:
                since = (self.rows["day"] >= first_day).to_numpy(dtype=bool, na_value=False)
                which[(self.which == of_survey) & since] = place
                place += 1
        return which

    @cached_property
    def _csat_scales(self) -> list[Scale | None]:
        return self._scales(*(survey.csat_scale for survey in self.surveys))

    @cached_property
    def _score(self) -> tuple[np.ndarray, np.ndarray]:
        return read_answers(self.rows["score"], self.score_scales, self.which_score_scale)

    @cached_property
    def _csat(self) -> tuple[np.ndarray, np.ndarray]:
        return read_answers(self.rows["csat"], self._csat_scales, self.which)

    @cached_property
    def _nps(self) -> tuple[np.ndarray, np.ndarray]:
        scales = [NPS_SCALE if survey.has_nps else None for survey in self.surveys]
        return read_answers(self.rows["nps"], scales, self.which)

    @property
    def score(self) -> Numbers:
        """The score on its survey's scale; NaN if it is missing or not on the scale."""
        return self._score[0]

    @property
    def nps(self) -> Numbers:
        """Likelihood to recommend, 0 to 10; NaN if it is missing or not on the scale."""
        return self._nps[0]

    @cached_property
    def effort_0_100(self) -> Numbers:
        """Percent of maximum possible effort, higher is harder; NaN without a score."""
        return by_scale(self.score, self.score_scales, self.which_score_scale, Scale.effort_0_100)

    @cached_property
    def csat_0_100(self) -> Numbers:
        """Satisfaction as a percentage of its own scale, higher is better; NaN without an answer."""
        return by_scale(self._csat[0], self._csat_scales, self.which, Scale.ease_0_100)

    def _required(self, outcome: int) -> Iterator[Flags]:
        """For each answer that a survey may require, flags of the rows that require it and have this outcome."""
        for answer in ("score", "csat", "nps", "comment"):
            requires = np.array([*(answer in survey.required_answers for survey in self.surveys), False])
            if requires.any():
                yield requires[self.which] & (self._outcome(answer) == outcome)

    def _outcome(self, answer: str) -> np.ndarray:
        if answer == "comment":
            return np.where(self.rows["comment"].isna(), BLANK, FITS)
        return {"score": self._score, "csat": self._csat, "nps": self._nps}[answer][1]

    @cached_property
    def required_blank(self) -> Counts:
        """How many required answers are blank; 0 for an unreadable row."""
        return self.count(flags & self.is_readable for flags in self._required(BLANK))

    @property
    def required_off_scale(self) -> Counts:
        """How many required answers are numbers outside their scale."""
        return self.count(self._required(OFF_SCALE))

    @property
    def required_unknown(self) -> Counts:
        """How many required answers are neither a number nor a label of their scale."""
        return self.count(self._required(UNKNOWN))

    @cached_property
    def is_unfinished(self) -> Flags:
        """Whether the platform says so, by its flag or, where that is blank, by its progress."""
        finished = self.meanings("finished", FINISHED)
        progress = floats(self.rows["progress"])
        is_blank = self.rows["finished"].isna().to_numpy()
        unfinished: Flags = (finished == "false") | (is_blank & (progress < 100))
        return unfinished

    @cached_property
    def is_test(self) -> Flags:
        """Whether the platform's status says that it is a preview, test, spam or staff answer."""
        tests: Flags = self.meanings("status", RESPONSE_STATUS) == "test"
        return tests

    def meanings(self, name: str, words: dict[str, str]) -> np.ndarray:
        """What each cell of a column means by a list of words; '' for a blank and for a word in no list."""
        codes, distinct = pd.factorize(self.rows[name])
        known = [read_word(str(text), words) or "" for text in distinct]
        return np.array([*known, ""], dtype="U8")[codes]

    @cached_property
    def unknown_flags(self) -> Flags:
        """Rows x RESPONSE_WORDS: whether the flag or status is a word that no list knows."""
        return unknown_flags(self.rows, RESPONSE_WORDS)

    @property
    def has_unknown_word(self) -> Flags:
        """Whether a flag or status of the row is such a word."""
        return np.asarray(self.unknown_flags.any(axis=1))

    @cached_property
    def ticket_id(self) -> pd.Series:
        """The id that the row's name of a ticket means."""
        return ticket_ids_of(self.rows["ticket_id"])

    def _column(self, name: str) -> pd.Series:
        """A field of this name, else the export's column."""
        return self.rows[name if name in self.rows.columns else self.context.asked_column(name)]

    @cached_property
    def straight_lined(self) -> Flags:
        """Whether the answers to the matrix columns that the survey names are as alike as its settings say."""
        flags = np.zeros(len(self.rows), dtype=bool)
        for survey, rows in self.by_survey():
            matrix = survey.rules.straight_lining
            if matrix is not None:
                flags |= rows & self._alike(matrix)
        return flags

    def _alike(self, matrix: StraightLining) -> np.ndarray:
        """Whether each row's answers in these columns are alike; rows with fewer than three answers are not."""
        columns = [self._column(name) for name in matrix.columns]
        codes, distinct = pd.factorize(pd.concat(columns, ignore_index=True))
        folded, _ = pd.factorize(np.array([fold(str(text)) for text in distinct], dtype=object))
        answers = np.append(folded, -1)[codes].reshape(len(columns), len(self.rows)).T
        given = (answers >= 0).sum(axis=1)
        most, run, longest = np.zeros(len(answers)), np.zeros(len(answers)), np.zeros(len(answers))
        for place in range(len(columns)):
            answered = answers[:, place] >= 0
            same = (answers == answers[:, [place]]).sum(axis=1)
            most = np.where(answered, np.maximum(most, same), most)
            goes_on = answered & (answers[:, place] == answers[:, place - 1]) if place else answered
            run = np.where(goes_on, run + 1, answered)
            longest = np.maximum(longest, run)
        share = most / np.maximum(given, 1)
        longest_allowed = np.inf if matrix.longest_run is None else matrix.longest_run
        alike: np.ndarray = (share >= matrix.identical_share) | (longest >= longest_allowed)
        return np.asarray(alike & (given >= _FEWEST_ANSWERS))

    @cached_property
    def keeps_partial(self) -> Flags:
        """Whether the survey keeps unfinished responses that have every required answer."""
        return self.per_survey(lambda survey: survey.rules.keep_partial, 1) > 0

    @cached_property
    def duration_seconds(self) -> Numbers:
        """Seconds as reported; else submit minus start, if these times are not rounded to minutes; else NaN.

        The reported value is preferred: Qualtrics' own duration differs from the difference of its times.
        """
        reported = floats(self.rows["duration_seconds"])
        if not np.isnan(reported).any():
            return reported
        started, submitted = self.rows["started_at"], self.rows["submitted_at"]
        to_the_second = ((started.dt.second != 0) | (submitted.dt.second != 0)).to_numpy(
            dtype=bool, na_value=False
        )
        derived = (submitted - started).dt.total_seconds().to_numpy()
        derived = np.where(to_the_second & (derived >= 0), derived, np.nan)
        return np.where(np.isnan(reported), derived, reported)

    @property
    def speed_limits(self) -> Numbers:
        """Seconds below which a response is fast for its survey on its day; 0 if there is no limit."""
        codes, days = pd.factorize(self.rows["day"])
        limits = np.zeros((len(days), len(self.surveys) + 1))
        for place, day in enumerate(days):
            known = self.context.speed_limits.get(day, {})
            limits[place, :-1] = [
                known[survey.id].seconds if survey.id in known else 0.0 for survey in self.surveys
            ]
        return limits[codes, self.which] if len(days) else np.zeros(len(self.rows))

    @property
    def is_contradicted(self) -> Flags:
        """Whether the comment contradicts the effort score."""
        return contradictions(self.rows["comment"], self.effort_0_100)

    @property
    def people_on_device(self) -> Numbers:
        """How many people used the row's device or IP address that day; 0 if neither is known."""
        people = np.zeros(len(self.rows))
        who = self.rows["respondent_key"].fillna(self.rows["response_key"])
        for name in ("device_key", "ip_address_key"):
            if self.rows[name].notna().any():
                counted = who.groupby([self.rows[name], self.rows["day"]]).transform("nunique")
                people = np.fmax(people, counted.to_numpy(dtype=float, na_value=0))
        return people

    def says(self, name: str, expected: tuple[str, ...]) -> Flags:
        """Whether a field or export column holds one of these texts, without quotes, final punctuation and case."""
        codes, distinct = pd.factorize(self._column(name))
        accepted = {_unquoted(text) for text in expected}
        return np.array([*(_unquoted(str(text)) in accepted for text in distinct), False])[codes]

    def repeats(self, eligible: Flags) -> Flags:
        """Whether an earlier eligible row has the same respondent, survey and ticket within the window, or the same
        device, survey and answers within seconds."""
        survey = pd.Series(self.which, index=self.rows.index)
        interaction = self.ticket_id.fillna(self.rows["external_id_key"]).fillna("")
        window = self.per_survey(lambda survey: survey.rules.duplicate_window_hours * 3600, 0)
        again = repeated(self.rows, [self.rows["respondent_key"], survey, interaction], window, eligible)
        instantly = self.per_survey(lambda survey: survey.rules.double_submit_seconds, 0)
        device = [self.rows["device_key"], survey, self.rows["answers"]]
        has_earlier: Flags = again | repeated(self.rows, device, instantly, eligible)
        return has_earlier


def _unquoted(text: str) -> str:
    """The text as expected answers are compared: folded, without the quotes around it and final punctuation."""
    return fold(text.strip().strip("\"'“”„‘’«»").rstrip(".!?… ").strip("\"'“”„‘’«» "))


def matches(values: pd.Series, wanted: tuple[str | float | int, ...]) -> Flags:
    """Whether each text equals one of the wanted values, trimmed and case-folded."""
    codes, distinct = pd.factorize(values)
    accepted = {fold(str(text)) for text in wanted}
    return np.array([*(fold(str(text)) in accepted for text in distinct), False])[codes]
