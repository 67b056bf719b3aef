"""unfinished, with every required answer"""

from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Flags, Rule, equals, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def is_partial(facts: "ResponseFacts") -> Flags:
    flags: Flags = facts.is_unfinished & facts.keeps_partial & (facts.required_blank == 0) & facts.is_readable
    return flags


RULE = Rule(
    name="partial",
    position=130,
    severity="suspect",
    evidence=is_partial,
    check=equals(False),
    poison=poison({"finished": "false"}, rules={"keep_partial": True}),
    settings=("keep_partial",),
)
