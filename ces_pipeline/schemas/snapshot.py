"""Tables that only the published file has: the registry in tabular form, and what the file was made from.

They are written by the publish itself and have no files in the lake.
"""

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Table, column

_KINDS = "Kind of feed: `survey`, `tickets`, `accounts`, `invitations`, `events` or `follow_ups`."

SURVEYS = Table(
    "reference.surveys",
    "One row per registered touchpoint.",
    ("survey_id",),
    {
        "survey_id": column(TEXT, "The touchpoint."),
        "title": column(TEXT, "Its name for people."),
        "scale_id": column(TEXT, "Scale of its effort or ease score; null: it asks none.", nullable=True),
        "csat_scale_id": column(TEXT, "Scale of its satisfaction answer; null: it asks none.", nullable=True),
        "has_nps": column(FLAG, "True where it asks the likelihood to recommend."),
        "channel": column(TEXT, "Channel where the export says none."),
        "product": column(TEXT, "Product where the export says none."),
        "journey_stage": column(TEXT, "Journey stage where the export says none."),
        "process": column(TEXT, "Support, renewal, expansion ...; `unknown` where not said."),
        "trigger_event": column(TEXT, "What sends the survey out; null: not said.", nullable=True),
        "owner": column(TEXT, "Who answers for it; null: not said.", nullable=True),
        "live_from": column(DAY, "First day it was asked; null: not said.", nullable=True),
        "live_to": column(DAY, "Last day it was asked; null: still asked, or not said.", nullable=True),
        "wording": column(TEXT, "The question, as customers read it; null: not said.", nullable=True),
        "questions": column(INTEGER, "How many questions it asks; null: not said.", nullable=True),
        "wording_version": column(TEXT, "Version of its wording."),
        "expected_per_day": column(INTEGER, "Responses expected per day; null: not said.", nullable=True),
        "link_window_days": column(
            NUMBER, "Days after a solve in which an answer may still mean that ticket."
        ),
    },
    sort=("survey_id",),
)

WORDING_CHANGES = Table(
    "reference.wording_changes",
    "One row per touchpoint and changed wording.",
    ("survey_id", "wording_version"),
    {
        "survey_id": column(TEXT, "The touchpoint."),
        "wording_version": column(TEXT, "The wording that came with the change."),
        "first_day": column(DAY, "The first day on which it was asked."),
    },
    sort=("survey_id", "first_day"),
)

SCALES = Table(
    "reference.scales",
    "One row per registered scale.",
    ("scale_id",),
    {
        "scale_id": column(TEXT, "The scale."),
        "title": column(TEXT, "Its name for people."),
        "min_score": column(INTEGER, "Lowest answer."),
        "max_score": column(INTEGER, "Highest answer."),
        "higher_means": column(TEXT, "`easier` or `harder`: what the highest answer says."),
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
    },
    sort=("scale_id", "score"),
)

SCALE_LABELS = Table(
    "reference.scale_labels",
    "One row per scale and label of an answer.",
    ("scale_id", "label"),
    {
        "scale_id": column(TEXT, "The scale."),
        "label": column(TEXT, "The answer in words, in lower case, white space folded; of any language."),
        "score": column(INTEGER, "The answer that it means."),
    },
    sort=("scale_id", "label"),
)

SOURCES = Table(
    "reference.sources",
    "One row per registered feed.",
    ("source_id",),
    {
        "source_id": column(TEXT, "The feed."),
        "kind": column(TEXT, _KINDS),
        "reader": column(TEXT, "How its exports are read."),
        "time_zone": column(TEXT, "Zone of its times that carry none."),
        "survey_id": column(
            TEXT, "Its one touchpoint; null: a column names it, or a ticket feed.", nullable=True
        ),
    },
    sort=("source_id",),
)

REASONS = Table(
    "reference.reasons",
    "One row per reason for which a response is rejected, marked or counted.",
    ("reason",),
    {
        "reason": column(TEXT, "The reason."),
        "position": column(INTEGER, "Its place among the reasons of a row, from 1."),
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
        "business_time_zone": column(TEXT, "Zone whose calendar the days follow."),
        "first_day": column(DAY, "First day of the calendar."),
        "minimum_n": column(INTEGER, "Figures of fewer answers are suppressed."),
        "reject_share_warning": column(
            NUMBER, "Share of rejected rows above which a day is reported, 0 to 1."
        ),
        "repeat_contact_days": column(
            NUMBER, "A ticket so soon after another of the same person and category is a repeat contact."
        ),
        "tag_coverage_warning": column(
            NUMBER, "Share of responses with a known tag below which the tag is reported, 0 to 1."
        ),
        "silent_touchpoint_days": column(
            INTEGER, "Days without a response after which a touchpoint is reported."
        ),
        "contact_limit": column(
            INTEGER, "Invitations of one customer within the window that are not too many."
        ),
        "contact_window_days": column(INTEGER, "Days of that window."),
        "invitation_window_days": column(
            INTEGER, "Days after an invitation in which a response may come of it."
        ),
        "journey_window_days": column(INTEGER, "Days of a customer's journey that are added up."),
        "effort_half_life_days": column(NUMBER, "Days after which an effort counts half."),
        "priority_window_days": column(INTEGER, "Newest days of tickets that priorities count."),
        "fix_window_weeks": column(INTEGER, "Weeks before and after a fix that are compared."),
        "release_window_days": column(INTEGER, "Days before and after a release that are compared."),
        "smallest_effect_0_100": column(
            NUMBER, "The difference of effort that the n of a fix should be able to show."
        ),
        "smallest_ticket_change": column(NUMBER, "The change of ticket volume likewise, as a share of it."),
        "most_lag_days": column(INTEGER, "Longest lag between a backend measure and effort."),
        "outcome_window_days": column(INTEGER, "First and last days that outcomes compare."),
        "quick_win_cost": column(
            NUMBER, "Cost up to which a category is a quick win; null: not said.", nullable=True
        ),
    },
)

FIXES = Table(
    "reference.fixes",
    "One row per registered fix.",
    ("fix_id",),
    {
        "fix_id": column(TEXT, "The entry of fixes.yaml."),
        "title": column(TEXT, "Its name for people."),
        "live_on": column(DAY, "First day with it."),
        "triggered_on": column(
            DAY, "First day of the figures because of which it was chosen; null: not said.", nullable=True
        ),
        "lever": column(
            TEXT,
            "`slow_api`, `manual_step`, `self_service_gap`, `workflow_redesign`, `bug` or `untagged`.",
        ),
        "cost": column(NUMBER, "What it cost; null: not said.", nullable=True),
        "owner": column(TEXT, "Who answers for it; null: not said.", nullable=True),
    },
    sort=("fix_id",),
)

FIX_CATEGORIES = Table(
    "reference.fix_categories",
    "One row per fix and category that it changes or is compared with.",
    ("fix_id", "category"),
    {
        "fix_id": column(TEXT, "The fix."),
        "category": column(TEXT, "The category of tickets."),
        "is_comparison": column(FLAG, "True where the fix does not touch it and is compared with it."),
    },
    sort=("fix_id", "category"),
)

RELEASES = Table(
    "reference.releases",
    "One row per registered release.",
    ("release_id",),
    {
        "release_id": column(TEXT, "The entry of releases.yaml."),
        "day": column(DAY, "First day with it."),
        "title": column(TEXT, "Its name for people."),
        "products": column(TEXTS, "Products that it concerns; empty: all."),
        "survey_ids": column(TEXTS, "Touchpoints that it concerns; empty: all."),
    },
    sort=("day", "release_id"),
)

VALUE_WEIGHTS = Table(
    "reference.value_weights",
    "One row per persona with a value weight.",
    ("persona",),
    {
        "persona": column(TEXT, "The persona."),
        "value_weight": column(NUMBER, "Worth of one of its customers beside those of other personas."),
    },
    sort=("persona",),
)

CATEGORY_COSTS = Table(
    "reference.category_costs",
    "One row per category with an estimated cost of fixing it.",
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
        "product_id": column(TEXT, "The product, as `product` of responses and tickets names it."),
        "title": column(TEXT, "Its name for people."),
        "area": column(TEXT, "What it belongs to; null: not said.", nullable=True),
        "owner": column(TEXT, "Who answers for it; null: not said.", nullable=True),
    },
    sort=("product_id",),
)

RESTATEMENTS = Table(
    "reference.restatements",
    "One row per span of days whose personas are decided by the accounts as they were on another day.",
    ("restatement_id",),
    {
        "restatement_id": column(TEXT, "The entry of restatements.yaml."),
        "first_day": column(DAY, "First day restated."),
        "last_day": column(DAY, "Last day restated."),
        "as_of": column(DAY, "The day whose accounts decide."),
        "why": column(TEXT, "Why; null: not said.", nullable=True),
    },
    sort=("restatement_id",),
)

OBJECTIVES = Table(
    "reference.objectives",
    "One row per registered objective of the programme.",
    ("objective_id",),
    {
        "objective_id": column(TEXT, "The entry of objectives.yaml."),
        "title": column(TEXT, "Its name for people."),
        "figure": column(TEXT, "A figure of `mart.ces_segments`, or a metric of `mart.program_metrics`."),
        "dimension": column(TEXT, "Dimension of the figure; of a metric `programme`."),
        "segment": column(TEXT, "Segment of the figure, or of the metric."),
        "unit": column(TEXT, "Unit of baseline, target and value."),
        "baseline": column(NUMBER, "Where it stood."),
        "baseline_day": column(DAY, "Last day of the figures that the baseline was read from."),
        "target": column(NUMBER, "Where it shall be."),
        "target_day": column(DAY, "By when."),
        "owner": column(TEXT, "Who answers for it; null: not said.", nullable=True),
        "sponsor": column(TEXT, "Who stands behind it; null: not said.", nullable=True),
        "budget": column(TEXT, "A note on what may be spent; null: not said.", nullable=True),
        "follow_up": column(
            TEXT, "Who has time to follow difficult answers up; null: not said.", nullable=True
        ),
    },
    sort=("objective_id",),
)

BUSINESS_HOURS = Table(
    "reference.business_hours",
    "One row per weekday on which support works.",
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
    "One row per day without business hours, whatever its weekday.",
    ("day",),
    {"day": column(DAY, "The day, business zone.")},
    sort=("day",),
)

SURVEY_INELIGIBLE = Table(
    "reference.survey_ineligible",
    "One row per value of a ticket's attribute that excepts it from surveys.",
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
    "One row per rule about the handling of tickets, attribute and value that it accepts.",
    ("rule_id", "attribute", "value"),
    {
        "rule_id": column(TEXT, "The entry of segments.yaml."),
        "position": column(
            INTEGER, "Its place among the rules, from 1: of those that match, the first decides."
        ),
        "handling": column(TEXT, "What it says of a ticket."),
        "attribute": column(TEXT, "Column of `core.tickets`; a rule needs all of its attributes."),
        "value": column(TEXT, "A value that it accepts, in lower case."),
    },
    sort=("position", "attribute", "value"),
)

EFFORT_INDEX_WEIGHTS = Table(
    "reference.effort_index_weights",
    "One row: the weights of the effort index.",
    (),
    {
        "weights_version": column(TEXT, "Their version."),
        **{
            f"weight_{name}": column(NUMBER, f"Weight of `{name}_component`.")
            for name in ("resolution", "first_reply", *_INDEX_COUNTS)
        },
        **{
            f"full_{name}": column(NUMBER, f"Number of {name} that counts in full.") for name in _INDEX_COUNTS
        },
    },
)

PUBLISHED_DAYS = Table(
    "audit.published_days",
    "One row per table and day file of the lake that this file holds.",
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
    "One row per kind and day that waited to be cleaned (again) when this file was published.",
    ("kind", "day"),
    {
        "kind": column(TEXT, _KINDS),
        "day": column(DAY, "The day; what this file holds of it may be older than its deliveries."),
    },
    sort=("kind", "day"),
)

PUBLICATION = Table(
    "audit.publication",
    "One row: how and when this file was made.",
    (),
    {
        "run_id": column(TEXT, "The run that published it."),
        "published_at": column(INSTANT, "When."),
        "inputs": column(TEXT, "Fingerprint of everything that it was made from."),
        "layout": column(TEXT, "Fingerprint of its tables and columns."),
    },
)

PUBLISHED_TABLES = Table(
    "audit.published_tables",
    "One row per derived table: the code and the inputs that it was filled from.",
    ("table_name",),
    {
        "table_name": column(TEXT, "Schema and table."),
        "code_version": column(TEXT, "Short fingerprint of its query, macros, function and columns."),
        "inputs": column(TEXT, "Fingerprint of its code and of the tables that it reads."),
        "filled_by_run": column(TEXT, "The run that filled it last."),
    },
    ("table_name",),
)

REFERENCE_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SURVEYS,
        WORDING_CHANGES,
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
