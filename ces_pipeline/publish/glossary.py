"""The words of this field as this product uses them, for the data dictionary, the documentation and readers of figures.

Columns and tables are described in `ces_pipeline.schemas`; how figures are decided is in `sql/DECISIONS.md`.
"""

GLOSSARY: dict[str, str] = {
    "accepted": "Passed every rule of severity `reject`: a row of `core.responses`, or of the accepted table of its "
    "kind.",
    "alert": "The message on an incident, by a channel of alerts.yaml.",
    "band": "`easy`, `neutral` or `difficult`: the box of its own scale that an answer is in. Never computed from "
    "the 0 to 100 value.",
    "CES": "Customer Effort Score: the answer to how hard, or how easy, it was to get one thing done. No column "
    "is called only `ces`, because the name does not show the direction. The letters also mean Contact "
    "Efficiency Systems, Customer Experience Feedback (or Survey) and a trade fair: a column of an export "
    "that is called `ces` is read as a score only if the registry says so.",
    "CES 1.0": "The first wording: how much effort did you personally have to put forth, 1 very low to 5 very high. "
    "Higher is harder.",
    "CES 2.0": "The later wording: the company made it easy for me to handle my issue, 1 strongly disagree to 7 "
    "strongly agree. Higher is easier.",
    "confidence interval": "Always of 95 % here. The description of each column names the method.",
    "CSAT": "Customer satisfaction, published as `csat_0_100`, higher is better. Published with effort, never "
    "merged with it.",
    "day": "The business-zone date on which the platform recorded the answer, or on which the ticket changed.",
    "delivery": "The content of one file, or one pull from an API. It lands once, identified by its hash.",
    "ease": "`ease_0_100` = 100 - effort: higher is easier.",
    "effort": "`effort_0_100`: 0 none to 100 most, higher is harder. The answer as POMP, reversed if the scale asks "
    "for ease.",
    "effort index": "The effort that a ticket's history shows (time, replies, handoffs, reopens), 0 to 100, with or "
    "without an answer. Observed behaviour, not an answer: never added to CES.",
    "follow-up": "What was done about a difficult answer: assigned, customer contacted, resolved. Also called closing "
    "the loop.",
    "incident": "Something that is wrong since a day, by a rule of alerts.yaml: a figure beyond a value, an unusual "
    "figure, a failed check, source or run, a missed night. It is one until it has recovered.",
    "linked": "An answer whose ticket is known: by the ticket id that it names, another shared reference, or person "
    "and time.",
    "minimum n": "A figure of fewer answers than this (`minimum_n` in settings.yaml) is suppressed.",
    "net ease": "Share of answers in the easy boxes minus share in the difficult boxes, -1 to 1. Vendors call it Net "
    "Easy Score, some of them in per cent.",
    "NPS": "Net Promoter Score: per cent of answers 9 and 10 minus per cent of answers 0 to 6 to the likelihood "
    "to recommend.",
    "persona": "The kind of customer, by the first matching rule of segments.yaml; `unassigned` if none matches.",
    "POMP": "Per cent of the maximum possible: (score - min) / (max - min) x 100. It makes means over groups "
    "comparable across scales; single answers and bands are not comparable.",
    "quarantine": "Rejected rows, with their landed values and every reason: the tables `core.rejected_*`.",
    "reason": "The name of a rule that applies to a row. A row keeps all its reasons.",
    "reconciliation": "The check that landed = redelivered + superseded + accepted + rejected, per source and day.",
    "redelivery": "A landed row that arrived again unchanged: counted, otherwise without effect.",
    "rejected": "Kept out of the accepted table by at least one rule of severity `reject`.",
    "response rate": "Answers over invitations, by AAPOR's RR1 (complete ones) or RR2 (partial ones too). Responses "
    "over views are the completed share of views, not a response rate.",
    "restatement": "A published day that a later publish changed.",
    "revision": "The same answer delivered with new content. The newest counts; older ones are superseded.",
    "source": "One system that delivers rows: an entry of sources.yaml, `source_id` in every table.",
    "stale": "Of a day: its rows, the registry or the code changed since it was cleaned. The next run cleans it "
    "again.",
    "superseded": "An older content of a revised row.",
    "suppressed": "Not shown, because too few answers are behind it: null, never zero, never ranked.",
    "survey": "One question asked at one moment: an entry of surveys.yaml, `survey_id` in every table. Some "
    "published names call it a touchpoint.",
    "suspect": "Accepted, but marked by a rule of severity `suspect`. Counts in the headline; `mart.sensitivity` "
    "shows it without.",
    "touchpoint": "Another name of a survey, in some published names.",
}
"""Term -> what it means here, by the alphabet."""
