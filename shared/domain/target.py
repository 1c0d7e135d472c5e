"""Reads a run's target from the event that starts it."""

import re
from functools import lru_cache

from contracts.agents import TargetRule
from contracts.envelope import Event
from shared.domain.decision import Target

_FIELD = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


class TargetMissing(Exception):
    """The event has no value for a field that the target is made of."""


def target_of(rule: TargetRule, event: Event) -> Target:
    """Fill the rule's `{field}` places from the event, or raise TargetMissing, which names the field."""
    text, fields = _parts(rule.id)
    if not fields:
        return Target(rule.type, rule.id)
    return Target(rule.type, text.format(*(_value(event, path) for path in fields)))


@lru_cache(maxsize=1_024)
def _parts(template: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """Split `{projectid}:{data.date}` into `{}:{}` and the paths of its fields."""
    literal = _FIELD.sub("\0", template).replace("{", "{{").replace("}", "}}").replace("\0", "{}")
    return literal, tuple(tuple(match.split(".")) for match in _FIELD.findall(template))


def _value(event: Event, path: tuple[str, ...]) -> str:
    value: object = event
    for name in path:
        value = getattr(value, name, None)
    if value is None or value == "":
        raise TargetMissing(f"the event has no {'.'.join(path)}")
    return str(value)
