"""Planning: a stage and an epic for each goal, in equal parts of the horizon."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.offline_model.findings import Reading, is_quotable
from infra.offline_model.notes import goals_remembered
from infra.offline_model.prose import capitalised, shortened, topic_words

Planned = dict[str, Any]

_MOST_GOALS = 12
_USUAL_WEEKS = 12
_MOST_WEEKS = 520
_TITLE_WORDS = 8
_LONGEST_TITLE = 80
_WORDS_IN_COMMON = 2


def roadmap_items(reading: Reading) -> list[Planned]:
    """Return a stage for each goal, in their order, that fill the horizon; of more goals than weeks the first."""
    weeks, goals = _weeks(reading), _goals(reading)
    return [
        {
            "title": _title(goal),
            "description": goal,
            "when": f"weeks {index * weeks // len(goals) + 1} to {(index + 1) * weeks // len(goals)}",
            "epic": _title(goal),
            **_because(goal),
        }
        for index, goal in enumerate(goals)
    ]


def epics(reading: Reading) -> list[Planned]:
    """Return an epic for each goal, with the tickets that speak of it."""
    return [
        {"title": _title(goal), "goal": goal, "ticket_ids": list(_tickets_of(goal, reading)), **_because(goal)}
        for goal in _goals(reading)
    ]


def _because(goal: str) -> Planned:
    return {"reasoning": f'The goal is: "{goal}"', "confidence": "medium"}


def _goals(reading: Reading) -> list[str]:
    asked = _asked(reading).get("goals") or ()
    stated = [each for each in asked if isinstance(each, str) and each.strip() and is_quotable(each)]
    goals = dict.fromkeys(each.strip() for each in stated or goals_remembered(reading.material))
    return list(goals)[: min(_MOST_GOALS, _weeks(reading))]


def _weeks(reading: Reading) -> int:
    weeks = _asked(reading).get("horizon_weeks")
    return min(weeks, _MOST_WEEKS) if isinstance(weeks, int) and weeks > 0 else _USUAL_WEEKS


def _asked(reading: Reading) -> Mapping[str, Any]:
    data = reading.material.data
    return data if isinstance(data, dict) else {}


def _tickets_of(goal: str, reading: Reading) -> Iterator[str]:
    spoken = set(topic_words(goal))
    for ticket in reading.material.tickets:
        said = set(topic_words(f"{ticket.get('title')} {ticket.get('description', '')}"))
        if not ticket.get("closed") and len(said & spoken) >= _WORDS_IN_COMMON:
            yield str(ticket["ticket_id"])


def _title(goal: str) -> str:
    return capitalised(shortened(goal, _TITLE_WORDS)).rstrip(".")[:_LONGEST_TITLE].rstrip()
