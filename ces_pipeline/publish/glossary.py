"""The words of this field as this product uses them, for the data dictionary and whoever reads a figure.

Columns and tables are described in `ces_pipeline.schemas`; how figures are decided is in `sql/DECISIONS.md`.
"""

GLOSSARY: dict[str, str] = {
    "band": "`easy`, `neutral` or `difficult`: where an answer lies among the boxes of its own scale. Never computed "
    "from the 0 to 100 value.",
    "CES": "Customer Effort Score: the answer to how hard, or how easy, it was to get one thing done. No column is "
    "called only `ces`, since the name does not tell the direction. The letters also stand for Contact Efficiency "
    "Systems, for Customer Experience Feedback (or Survey) and for a trade fair of consumer electronics: a column "
    "of an export that is called `ces` is read as a score only where the registry says so.",
    "CES 1.0": "The first wording: how much effort did you personally have to put forth, 1 very low to 5 very high. "
    "Higher is harder.",
    "CES 2.0": "The later wording: the company made it easy for me to handle my issue, 1 strongly disagree to 7 "
    "strongly agree. Higher is easier.",
    "confidence interval": "Here always of 95 %: the method is named at each column.",
    "CSAT": "Customer satisfaction, published as `csat_0_100`, higher is better. Beside effort, never merged with it.",
    "day": "The business-zone date on which the platform recorded the answer, or on which the ticket changed.",
    "delivery": "One file's content, or one pull from an API. Landed once, known by its hash.",
    "ease": "`ease_0_100` = 100 - effort: higher is easier.",
    "effort": "`effort_0_100`: 0 none to 100 most, higher is harder. The answer as POMP, turned round where the scale "
    "asks for ease.",
    "effort index": "Effort that a ticket's history shows (time, replies, handoffs, reopens), 0 to 100, answered or "
    "not. Observed behaviour, not an answer: never added to CES.",
    "follow-up": "What somebody did about a difficult answer: taken on, customer contacted, settled. Also: closing "
    "the loop.",
    "linked": "An answer whose ticket is known: by the id it names, another shared reference, or person and time.",
    "minimum n": "Fewer answers than this (`minimum_n` in settings.yaml) and a figure is suppressed.",
    "net ease": "Share of answers in the easy boxes minus share in the difficult boxes, -1 to 1. Vendors call it Net "
    "Easy Score, some of them in per cent.",
    "NPS": "Net Promoter Score: per cent of answers 9 and 10 minus per cent of answers 0 to 6 to the likelihood to "
    "recommend.",
    "persona": "The kind of customer, by the first matching rule of segments.yaml; `unassigned` where none matches.",
    "POMP": "Per cent of the maximum possible: (score - min) / (max - min) x 100. Makes means over groups of unlike "
    "scales comparable, single answers and bands not.",
    "quarantine": "Rejected rows, with their landed values and every reason: the tables `core.rejected_*`.",
    "redelivery": "A landed row that came again unchanged: counted, otherwise without effect.",
    "rejected": "Kept out of the accepted table by at least one rule of severity `reject`.",
    "response rate": "Answers over invitations, by AAPOR's RR1 (complete ones) or RR2 (partial ones too). Completed "
    "views over views are a share of views, no response rate.",
    "restatement": "A published day that a later publish changed.",
    "revision": "The same answer delivered with new content: the newest counts, older ones are superseded.",
    "superseded": "An older content of a revised row.",
    "suppressed": "Not shown, since too few answers stand behind it: null, never zero, never ranked.",
    "suspect": "Accepted, but marked by a rule of severity `suspect`. Counts in the headline; `mart.sensitivity` shows "
    "it without.",
    "touchpoint": "One question asked at one moment: an entry of surveys.yaml, `survey_id` in every table.",
}
"""Term -> what it means here, by the alphabet."""
