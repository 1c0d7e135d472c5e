"""What tools told, as the offline model reads it."""

from typing import Any

import orjson

from infra.offline_model.sections import read_material
from infra.offline_model.told import hearsay
from services.runner.agents.prompt import render_tool_failure, render_tool_output
from tests.unit.offline_model.inputs import rendered

CLOSED: dict[str, Any] = {
    "id": "e1",
    "type": "ticket.closed",
    "accepted_at": "2026-11-18T09:00:00Z",
    "data": {"ticket_id": "APO-1", "title": "Fix the export", "description": "It is broken.", "status": "closed"},
}
LISTED = {"ticket_id": "APO-2", "title": "Write a guide", "closed": False}


def told(*items: Any) -> str:
    return render_tool_output(orjson.dumps(list(items)).decode())


def test_lists_of_objects_are_heard_and_nothing_else() -> None:
    outputs = [told(LISTED, 7), render_tool_failure("No."), "[1, 2", '{"a": 1}']

    assert list(hearsay(outputs, {})) == [LISTED]


def test_events_outside_of_the_period_are_not_heard() -> None:
    def heard(start: str, end: str) -> int:
        return len(list(hearsay([told(CLOSED, LISTED)], {"period_start": start, "period_end": end})))

    assert [
        heard("2026-11-16", "2026-11-20"),
        heard("2026-11-18", "2026-11-18"),
        heard("2026-11-19", "2026-11-20"),
    ] == [
        2,
        2,
        1,
    ]


def test_tickets_are_those_that_were_listed_and_those_of_events() -> None:
    material = read_material(rendered({}), [told(LISTED), told(CLOSED)])

    assert {each["ticket_id"]: each["closed"] for each in material.tickets} == {"APO-1": True, "APO-2": False}


def test_a_list_of_tickets_is_newer_than_events() -> None:
    again = {**LISTED, "ticket_id": "APO-1"}

    (ticket,) = read_material(rendered({}), [told(CLOSED), told(again)]).tickets

    assert ticket["closed"] is False


def test_what_people_wrote_in_events_is_prose() -> None:
    material = read_material(rendered({"text": "Hello."}), [told(CLOSED)])

    assert [each.text for each in material.passages] == ["Hello.", "Fix the export", "It is broken."]
