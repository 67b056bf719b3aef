"""Builds the `reference` tables from the registry, for SQL."""

from datetime import UTC, date, datetime

import pyarrow as pa

from ces_pipeline.registry.public_holidays import public_holidays
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.settings import WEEKDAYS, EffortIndex, Settings
from ces_pipeline.rules.catalog import SURVEY_RULES
from ces_pipeline.schemas.snapshot import REFERENCE_TABLES


def reference_tables(registry: Registry) -> dict[str, pa.Table]:
    """Every `reference` table by full name, with rows in the table's own order."""
    settings = registry.settings
    rows = {
        "reference.surveys": [
            {
                "survey_id": survey.id,
                "title": survey.title or survey.id,
                "scale_id": survey.scale,
                "csat_scale_id": survey.csat_scale,
                **{
                    name: getattr(survey, name)
                    for name in (
                        "has_nps",
                        "channel",
                        "product",
                        "journey_stage",
                        "process",
                        "trigger_event",
                        "owner",
                        "live_from",
                        "live_to",
                        "wording",
                        "questions",
                        "wording_version",
                        "expected_per_day",
                        "link_window_days",
                    )
                },
            }
            for _, survey in sorted(registry.surveys.items())
        ],
        "reference.wording_changes": [
            {"survey_id": survey.id, "wording_version": version, "first_day": first_day}
            for _, survey in sorted(registry.surveys.items())
            for version, first_day in sorted(survey.wording_changes.items(), key=lambda change: change[1])
        ],
        "reference.scale_changes": [
            {"survey_id": survey.id, "scale_id": scale_id, "first_day": first_day}
            for _, survey in sorted(registry.surveys.items())
            for first_day, scale_id in sorted(survey.scale_changes.items())
        ],
        "reference.scales": [
            {
                "scale_id": scale.id,
                "title": scale.title,
                "min_score": scale.min,
                "max_score": scale.max,
                "has_decimals": scale.has_decimals,
                "measures": scale.measures,
                "higher_means": scale.higher_means,
                "top_two_least_ease_0_100": scale.ease_0_100(scale.top_two[1]),
            }
            for _, scale in sorted(registry.scales.items())
        ],
        "reference.scale_boxes": [
            {
                "scale_id": scale.id,
                "score": score,
                "effort_band": scale.band(score),
                "effort_0_100": scale.effort_0_100(score),
                "is_top_two": score in scale.top_two,
            }
            for _, scale in sorted(registry.scales.items())
            for score in range(scale.min, scale.max + 1)
        ],
        "reference.scale_labels": [
            {"scale_id": scale.id, "label": label, "score": score}
            for _, scale in sorted(registry.scales.items())
            for label, score in sorted(scale.by_label.items())
        ],
        "reference.sources": [
            {
                "source_id": source.id,
                "kind": source.kind,
                "reader": source.reader,
                "time_zone": source.time_zone,
                "survey_id": source.survey,
                "ended_on": source.ended_on,
            }
            for _, source in sorted(registry.sources.items())
        ],
        "reference.reasons": [
            {
                "reason": rule.name,
                "position": position,
                "means": rule.means,
                "default_severity": rule.severity,
            }
            for position, rule in enumerate(SURVEY_RULES, start=1)
        ],
        "reference.settings": [
            {
                "business_time_zone": settings.business_time_zone,
                "first_day": settings.first_day,
                "minimum_n": settings.minimum_n,
                **{
                    name: getattr(settings, name)
                    for name in (
                        "reject_share_warning",
                        "repeat_contact_days",
                        "tag_coverage_warning",
                        "silent_touchpoint_days",
                        "contact_limit",
                        "contact_window_days",
                        "invitation_window_days",
                        "invite_window_days",
                        "follow_up_window_days",
                        "reopen_window_days",
                        "journey_window_days",
                        "effort_half_life_days",
                        "priority_window_days",
                        "fix_window_weeks",
                        "release_window_days",
                        "smallest_effect_0_100",
                        "smallest_ticket_change",
                        "most_lag_days",
                        "outcome_window_days",
                    )
                },
                "quick_win_cost": registry.priorities.quick_win_cost,
            }
        ],
        "reference.products": [
            {
                "product_id": product.id,
                "title": product.title or product.id,
                "area": product.area,
                "owner": product.owner,
            }
            for product in sorted(registry.products, key=lambda entry: entry.id)
        ],
        "reference.restatements": [
            {
                "restatement_id": restatement.id,
                "first_day": restatement.first_day,
                "last_day": restatement.last_day,
                "as_of": restatement.as_of,
                "why": restatement.why or None,
            }
            for restatement in sorted(registry.restatements, key=lambda entry: entry.id)
        ],
        "reference.business_hours": [
            {
                "iso_weekday": WEEKDAYS.index(weekday) + 1,
                "opens_minute": hours.opens_minute,
                "closes_minute": hours.closes_minute,
            }
            for weekday, hours in sorted(
                settings.business_hours.items(), key=lambda entry: WEEKDAYS.index(entry[0])
            )
        ],
        "reference.holidays": [
            {"day": day, "name": name} for day, name in sorted(_holidays(settings).items())
        ],
        "reference.survey_ineligible": [
            {"attribute": attribute, "value": value}
            for attribute, values in sorted(settings.survey_ineligible.items())
            for value in sorted(set(values))
        ],
        "reference.effort_index_weights": [_effort_index_weights(settings.effort_index)],
        "reference.handling_rules": [
            {
                "rule_id": rule.id,
                "position": position,
                "handling": rule.value,
                "attribute": attribute,
                "value": value,
            }
            for position, rule in enumerate(registry.handling, start=1)
            for attribute in sorted(rule.when)
            for value in sorted({_lower(wanted) for wanted in rule.wanted(attribute)})
        ],
        **_improvements(registry),
        "reference.objectives": [
            {
                "objective_id": objective.id,
                "figure": objective.name,
                "dimension": objective.dimension if objective.figure else "programme",
                "unit": objective.unit,
                **{
                    name: getattr(objective, name)
                    for name in (
                        "title",
                        "segment",
                        "baseline",
                        "baseline_day",
                        "target",
                        "target_day",
                        "owner",
                        "sponsor",
                        "budget",
                        "follow_up",
                    )
                },
            }
            for objective in sorted(registry.objectives, key=lambda entry: entry.id)
        ],
    }
    return {
        name: pa.Table.from_pylist(rows[name], schema=table.arrow) for name, table in REFERENCE_TABLES.items()
    }


def _lower(value: str | float | int) -> str:
    """A rule's value in the form that SQL compares: lower case, 0.0 as 0."""
    return f"{value:g}" if isinstance(value, int | float) else value.strip().lower()


def _holidays(settings: Settings) -> dict[date, str | None]:
    """Every day without business hours, to the end of next year, with its name; null: listed in the settings only."""
    years = range(settings.first_day.year, datetime.now(UTC).year + 2)
    return {**dict.fromkeys(settings.holidays), **public_holidays(settings.holiday_calendars, years)}


def _effort_index_weights(index: EffortIndex) -> dict[str, object]:
    places, counts = ("resolution", "first_reply"), ("replies", "handoffs", "reopens", "channel_switches")
    return {
        "weights_version": index.version,
        **{f"weight_{name}": getattr(index, name).weight for name in (*places, *counts)},
        **{f"full_{name}": getattr(index, name).full_at for name in counts},
    }


def _improvements(registry: Registry) -> dict[str, list[dict[str, object]]]:
    fixes = sorted(registry.fixes, key=lambda fix: fix.id)
    return {
        "reference.fixes": [
            {
                "fix_id": fix.id,
                "title": fix.title,
                "live_on": fix.live_on,
                "triggered_on": fix.triggered_on,
                "lever": fix.lever or "untagged",
                "cost": fix.cost,
                "owner": fix.owner,
            }
            for fix in fixes
        ],
        "reference.fix_categories": [
            {"fix_id": fix.id, "category": category, "is_comparison": category in fix.comparison_categories}
            for fix in fixes
            for category in sorted((*fix.categories, *fix.comparison_categories))
        ],
        "reference.releases": [
            {
                "release_id": release.id,
                "day": release.day,
                "title": release.title,
                "products": sorted(release.products),
                "survey_ids": sorted(release.touchpoints),
            }
            for release in sorted(registry.releases, key=lambda release: (release.day, release.id))
        ],
        "reference.value_weights": [
            {"persona": persona, "value_weight": weight}
            for persona, weight in sorted(registry.priorities.value_weights.items())
        ],
        "reference.category_costs": [
            {"category": category, "cost": cost}
            for category, cost in sorted(registry.priorities.category_costs.items())
        ],
    }
