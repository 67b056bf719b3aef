"""Tables that only the published file has: the registry as tables, and the inputs of the file.

The publish step writes them. They have no files in the lake.
"""

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Table, column

_KINDS = "Kind of source: `survey`, `tickets`, `accounts`, `invitations`, `events` or `follow_ups`."

SURVEYS = Table(
    "reference.surveys",
    "One row per registered survey.",
    ("survey_id",),
    {
        "survey_id": column(TEXT, "The survey."),
        "title": column(TEXT, "Display name."),
        "scale_id": column(
            TEXT, "Scale of its effort or ease score; null: it has no such question.", nullable=True
        ),
        "csat_scale_id": column(
            TEXT, "Scale of its satisfaction score; null: it has no such question.", nullable=True
        ),
        "has_nps": column(FLAG, "True if it asks for the likelihood to recommend."),
        "channel": column(TEXT, "Channel of answers whose export has none."),
        "product": column(TEXT, "Product of answers whose export has none."),
        "journey_stage": column(TEXT, "Journey stage of answers whose export has none."),
        "process": column(TEXT, "Support, renewal, expansion ...; `unknown` if not given."),
        "trigger_event": column(TEXT, "Type of event that triggers it; null: not set.", nullable=True),
        "owner": column(TEXT, "Who is responsible for it; null: not set.", nullable=True),
        "live_from": column(DAY, "First day on which it was asked; null: not set.", nullable=True),
        "live_to": column(
            DAY, "Last day on which it was asked; null: still asked, or not set.", nullable=True
        ),
        "wording": column(TEXT, "The question, as customers read it; null: not set.", nullable=True),
        "questions": column(INTEGER, "Number of its questions; null: not set.", nullable=True),
        "wording_version": column(TEXT, "Version of its wording."),
        "expected_per_day": column(INTEGER, "Responses expected per day; null: not set.", nullable=True),
        "link_window_days": column(NUMBER, "Days after a solve in which an answer may be about the ticket."),
    },
    sort=("survey_id",),
)

WORDING_CHANGES = Table(
    "reference.wording_changes",
    "One row per survey and changed wording.",
    ("survey_id", "wording_version"),
    {
        "survey_id": column(TEXT, "The survey."),
        "wording_version": column(TEXT, "Version of the wording after the change."),
        "first_day": column(DAY, "The first day on which it was asked."),
    },
    sort=("survey_id", "first_day"),
)

SCALE_CHANGES = Table(
    "reference.scale_changes",
    "One row per survey and change of the scale of its score.",
    ("survey_id", "first_day"),
    {
        "survey_id": column(TEXT, "The survey."),
        "scale_id": column(TEXT, "The scale of the score from that day on."),
        "first_day": column(DAY, "The first day on which it was asked on this scale."),
    },
    sort=("survey_id", "first_day"),
)

SCALES = Table(
    "reference.scales",
    "One row per registered scale.",
    ("scale_id",),
    {
        "scale_id": column(TEXT, "The scale."),
        "title": column(TEXT, "Display name."),
        "min_score": column(INTEGER, "Lowest answer."),
        "max_score": column(INTEGER, "Highest answer."),
        "has_decimals": column(FLAG, "True for a slider: decimals are answers."),
        "measures": column(TEXT, "`effort` or `satisfaction`: what its answers are about."),
        "higher_means": column(TEXT, "`easier` or `harder`: what a higher answer means."),
        "top_two_least_ease_0_100": column(
            NUMBER, "Ease of the second best answer: answers of so much ease are in the top-two box."
        ),
    },
    sort=("scale_id",),
)

SCALE_BOXES = Table(
    "reference.scale_boxes",
    "One row per scale and answer.",
    ("scale_id", "score"),
    {
        "scale_id": column(TEXT, "The scale."),
        "score": column(INTEGER, "The answer."),
        "effort_band": column(TEXT, "`easy`, `neutral` or `difficult`."),
        "effort_0_100": column(NUMBER, "The answer as effort, 0 to 100, higher is harder."),
        "is_top_two": column(FLAG, "True for the two best answers of the scale."),
    },
    sort=("scale_id", "score"),
)

SCALE_LABELS = Table(
    "reference.scale_labels",
    "One row per scale and label of an answer.",
    ("scale_id", "label"),
    {
        "scale_id": column(TEXT, "The scale."),
        "label": column(TEXT, "Label of the answer, lower case, white space folded; any language."),
        "score": column(INTEGER, "The answer that it means."),
    },
    sort=("scale_id", "label"),
)

SOURCES = Table(
    "reference.sources",
    "One row per registered source.",
    ("source_id",),
    {
        "source_id": column(TEXT, "The source."),
        "kind": column(TEXT, _KINDS),
        "reader": column(TEXT, "The reader of its exports."),
        "time_zone": column(TEXT, "Time zone of its times that name no zone."),
        "survey_id": column(
            TEXT,
            "Survey of all its answers; null: a column names it, or the source has no survey.",
            nullable=True,
        ),
        "ended_on": column(DAY, "Its last day; null: it still delivers.", nullable=True),
    },
    sort=("source_id",),
)

REASONS = Table(
    "reference.reasons",
    "One row per reason to reject, mark or count a response.",
    ("reason",),
    {
        "reason": column(TEXT, "The reason."),
        "position": column(INTEGER, "Position among the reasons of a row, from 1."),
        "means": column(TEXT, "When it applies."),
        "default_severity": column(
            TEXT, "`reject`, `suspect`, `info` or `off`, unless a survey sets another."
        ),
    },
    sort=("position",),
)

SETTINGS = Table(
    "reference.settings",
    "One row: the installation's settings that figures depend on.",
    (),
    {
        "business_time_zone": column(TEXT, "Time zone of the days."),
        "first_day": column(DAY, "First day of the calendar."),
        "minimum_n": column(INTEGER, "Figures of fewer answers are suppressed."),
        "reject_share_warning": column(
            NUMBER, "Share of rejected rows of a day above which a check warns, 0 to 1."
        ),
        "repeat_contact_days": column(
            NUMBER,
            "A ticket within so many days after another one of the same person and category is a repeat contact.",
        ),
        "tag_coverage_warning": column(
            NUMBER,
            "A check warns if a tag's known share falls below this fraction of its earlier share, 0 to 1.",
        ),
        "silent_touchpoint_days": column(
            INTEGER, "Days without a response after which a check reports the survey."
        ),
        "contact_limit": column(INTEGER, "Most invitations of a customer within the window."),
        "contact_window_days": column(INTEGER, "Days of the window of contact_limit."),
        "invitation_window_days": column(
            INTEGER, "Days after an invitation in which a response may belong to it."
        ),
        "invite_window_days": column(
            INTEGER, "Days after an event in which its invitation may still be sent and delivered."
        ),
        "follow_up_window_days": column(
            INTEGER, "Days after a difficult answer in which it may still be followed up."
        ),
        "reopen_window_days": column(
            INTEGER, "Days after its solve in which a ticket may still be reopened."
        ),
        "journey_window_days": column(INTEGER, "Days of a customer's journey that are summed."),
        "effort_half_life_days": column(NUMBER, "Days after which the effort of an answer counts half."),
        "priority_window_days": column(INTEGER, "Newest days of tickets that the priorities use."),
        "fix_window_weeks": column(INTEGER, "Weeks before and after a fix that are compared."),
        "release_window_days": column(INTEGER, "Days before and after a release that are compared."),
        "smallest_effect_0_100": column(
            NUMBER, "Smallest difference of effort that the n of a fix must be able to detect."
        ),
        "smallest_ticket_change": column(
            NUMBER,
            "Smallest change of ticket volume that the n of a fix must be able to detect, as a share of the volume.",
        ),
        "most_lag_days": column(INTEGER, "Longest lag between a backend measure and effort."),
        "outcome_window_days": column(INTEGER, "First days and last days that outcomes compare."),
        "quick_win_cost": column(
            NUMBER, "A category that costs at most this is a quick win; null: not set.", nullable=True
        ),
    },
)

FIXES = Table(
    "reference.fixes",
    "One row per registered fix.",
    ("fix_id",),
    {
        "fix_id": column(TEXT, "The entry of fixes.yaml."),
        "title": column(TEXT, "Display name."),
        "live_on": column(DAY, "First day on which customers had it."),
        "triggered_on": column(
            DAY, "First day of the figures that led to the fix; null: not set.", nullable=True
        ),
        "lever": column(
            TEXT,
            "`slow_api`, `manual_step`, `self_service_gap`, `workflow_redesign`, `bug` or `untagged`.",
        ),
        "cost": column(NUMBER, "What it cost; null: not set.", nullable=True),
        "owner": column(TEXT, "Who is responsible for it; null: not set.", nullable=True),
    },
    sort=("fix_id",),
)

FIX_CATEGORIES = Table(
    "reference.fix_categories",
    "One row per fix and category that it changes or that it is compared with.",
    ("fix_id", "category"),
    {
        "fix_id": column(TEXT, "The fix."),
        "category": column(TEXT, "The category of tickets."),
        "is_comparison": column(
            FLAG, "True if the fix does not change the category and is compared with it."
        ),
    },
    sort=("fix_id", "category"),
)

RELEASES = Table(
    "reference.releases",
    "One row per registered release.",
    ("release_id",),
    {
        "release_id": column(TEXT, "The entry of releases.yaml."),
        "day": column(DAY, "First day on which customers had it."),
        "title": column(TEXT, "Display name."),
        "products": column(TEXTS, "Products that it affects; empty: all."),
        "survey_ids": column(TEXTS, "Surveys that it affects; empty: all."),
    },
    sort=("day", "release_id"),
)

VALUE_WEIGHTS = Table(
    "reference.value_weights",
    "One row per persona with a value weight.",
    ("persona",),
    {
        "persona": column(TEXT, "The persona."),
        "value_weight": column(NUMBER, "Value of a customer of this persona, relative to other personas."),
    },
    sort=("persona",),
)

CATEGORY_COSTS = Table(
    "reference.category_costs",
    "One row per category with an estimated cost to fix it.",
    ("category",),
    {
        "category": column(TEXT, "The category of tickets."),
        "cost": column(NUMBER, "The estimate, in the unit of all costs."),
    },
    sort=("category",),
)

PRODUCTS = Table(
    "reference.products",
    "One row per registered product or service.",
    ("product_id",),
    {
        "product_id": column(TEXT, "The product; `product` of responses and tickets uses this id."),
        "title": column(TEXT, "Display name."),
        "area": column(TEXT, "Product area; null: not set.", nullable=True),
        "owner": column(TEXT, "Who is responsible for it; null: not set.", nullable=True),
    },
    sort=("product_id",),
)

RESTATEMENTS = Table(
    "reference.restatements",
    "One row per span of days whose personas come from the accounts as they were on another day.",
    ("restatement_id",),
    {
        "restatement_id": column(TEXT, "The entry of restatements.yaml."),
        "first_day": column(DAY, "First day restated."),
        "last_day": column(DAY, "Last day restated."),
        "as_of": column(DAY, "The day whose accounts are used."),
        "why": column(TEXT, "The reason; null: not set.", nullable=True),
    },
    sort=("restatement_id",),
)

OBJECTIVES = Table(
    "reference.objectives",
    "One row per registered objective of the programme.",
    ("objective_id",),
    {
        "objective_id": column(TEXT, "The entry of objectives.yaml."),
        "title": column(TEXT, "Display name."),
        "figure": column(TEXT, "A figure of `mart.ces_segments`, or a metric of `mart.program_metrics`."),
        "dimension": column(TEXT, "Dimension of the figure; `programme` for a metric."),
        "segment": column(TEXT, "Segment of the figure, or of the metric."),
        "unit": column(TEXT, "Unit of baseline, target and value."),
        "baseline": column(NUMBER, "Value at the start."),
        "baseline_day": column(DAY, "Last day of the data that the baseline was measured on."),
        "target": column(NUMBER, "Value to reach."),
        "target_day": column(DAY, "Day by which to reach it."),
        "owner": column(TEXT, "Who is responsible for it; null: not set.", nullable=True),
        "sponsor": column(TEXT, "Who supports and funds it; null: not set.", nullable=True),
        "budget": column(TEXT, "A note on the budget; null: not set.", nullable=True),
        "follow_up": column(TEXT, "Who calls back customers with high effort; null: not set.", nullable=True),
    },
    sort=("objective_id",),
)

BUSINESS_HOURS = Table(
    "reference.business_hours",
    "One row per weekday on which support is open.",
    ("iso_weekday",),
    {
        "iso_weekday": column(INTEGER, "1 Monday to 7 Sunday."),
        "opens_minute": column(INTEGER, "Minutes after midnight, business zone."),
        "closes_minute": column(INTEGER, "Minutes after midnight, business zone."),
    },
    sort=("iso_weekday",),
)

HOLIDAYS = Table(
    "reference.holidays",
    "One row per day without business hours, on any weekday.",
    ("day",),
    {
        "day": column(DAY, "The day, business zone."),
        "name": column(
            TEXT, "Of a public holiday, its name in English; null: listed in the settings.", nullable=True
        ),
    },
    sort=("day",),
)

SURVEY_INELIGIBLE = Table(
    "reference.survey_ineligible",
    "One row per attribute value of tickets that are never surveyed.",
    ("attribute", "value"),
    {
        "attribute": column(TEXT, "`channel`, `product`, `category` or `priority`."),
        "value": column(TEXT, "The value."),
    },
    sort=("attribute", "value"),
)

_INDEX_COUNTS = ("replies", "handoffs", "reopens", "channel_switches")

HANDLING_RULES = Table(
    "reference.handling_rules",
    "One row per rule about the handling of tickets, attribute and accepted value.",
    ("rule_id", "attribute", "value"),
    {
        "rule_id": column(TEXT, "The entry of segments.yaml."),
        "position": column(INTEGER, "Position among the rules, from 1; the first rule that matches decides."),
        "handling": column(TEXT, "Handling that it assigns."),
        "attribute": column(TEXT, "Column of `core.tickets`; all attributes of a rule must match."),
        "value": column(TEXT, "A value that it accepts, in lower case."),
    },
    sort=("position", "attribute", "value"),
)

EFFORT_INDEX_WEIGHTS = Table(
    "reference.effort_index_weights",
    "One row: the weights of the effort index.",
    (),
    {
        "weights_version": column(TEXT, "Version of the weights."),
        **{
            f"weight_{name}": column(NUMBER, f"Weight of `{name}_component`.")
            for name in ("resolution", "first_reply", *_INDEX_COUNTS)
        },
        **{
            f"full_{name}": column(NUMBER, f"Number of {name} from which the component is at its maximum.")
            for name in _INDEX_COUNTS
        },
    },
)

PUBLISHED_DAYS = Table(
    "audit.published_days",
    "One row per table and day file of the lake in this file.",
    ("table_name", "day"),
    {
        "table_name": column(TEXT, "The table."),
        "day": column(DAY, "The day."),
        "size_bytes": column(INTEGER, "Size of the day file."),
        "sha256": column(TEXT, "SHA-256 of the day file."),
    },
    sort=("table_name", "day"),
)

PENDING_DAYS = Table(
    "audit.pending_days",
    "One row per kind and day that was stale (not yet cleaned again) when this file was published.",
    ("kind", "day"),
    {
        "kind": column(TEXT, _KINDS),
        "day": column(DAY, "The day; its rows in this file may be older than its deliveries."),
    },
    sort=("kind", "day"),
)

PUBLICATION = Table(
    "audit.publication",
    "One row: how and when this file was published.",
    (),
    {
        "run_id": column(TEXT, "The run that published it."),
        "published_at": column(INSTANT, "When it was published."),
        "inputs": column(TEXT, "Fingerprint of all inputs of this file."),
        "layout": column(TEXT, "Fingerprint of its tables and columns."),
        "erased": column(TEXT, "Fingerprint of the list of erased people; empty: there are none."),
        "rebuilt_size_bytes": column(
            INTEGER,
            "Size of the file when it was last rebuilt from the lake; null: this file is that one.",
            nullable=True,
        ),
        "rebuilt_rows": column(INTEGER, "Rows of that file; null: this file is that one.", nullable=True),
    },
)

PUBLISHED_TABLES = Table(
    "audit.published_tables",
    "One row per derived table: its code and its inputs.",
    ("table_name",),
    {
        "table_name": column(TEXT, "Schema and table."),
        "code_version": column(TEXT, "Short fingerprint of its query, macros, function and columns."),
        "inputs": column(TEXT, "Fingerprint of its code and of the tables that it reads."),
        "code_and_registry": column(
            TEXT, "Fingerprint of its code and of what it reads of the registry and of the audit."
        ),
        "filled_by_run": column(TEXT, "The run that changed its rows last."),
    },
    ("table_name",),
)

REFERENCE_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SURVEYS,
        WORDING_CHANGES,
        SCALE_CHANGES,
        SCALES,
        SCALE_BOXES,
        SCALE_LABELS,
        SOURCES,
        REASONS,
        SETTINGS,
        PRODUCTS,
        RESTATEMENTS,
        BUSINESS_HOURS,
        HOLIDAYS,
        SURVEY_INELIGIBLE,
        EFFORT_INDEX_WEIGHTS,
        HANDLING_RULES,
        FIXES,
        FIX_CATEGORIES,
        RELEASES,
        VALUE_WEIGHTS,
        CATEGORY_COSTS,
        OBJECTIVES,
    )
}
SNAPSHOT_TABLES: dict[str, Table] = {
    **REFERENCE_TABLES,
    **{table.name: table for table in (PUBLISHED_DAYS, PUBLISHED_TABLES, PENDING_DAYS, PUBLICATION)},
}
"""Full name (`reference.surveys`) -> table."""
