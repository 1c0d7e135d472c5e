"""Snapshots as drafts."""

from typing import Any

import orjson

from infra.offline_model import drafting
from infra.offline_model.findings import Reading, read
from tests.unit.offline_model.inputs import rendered

PERIOD = {"snapshot_id": "w47", "period_start": "2026-11-16", "period_end": "2026-11-20"}
CHECKIN = {
    "type": "checkin.submitted",
    "accepted_at": "2026-11-18T09:00:00Z",
    "data": {"yesterday": "Merged APO-11.", "blockers": "Waiting for legal."},
}
OPEN = {"ticket_id": "APO-12", "title": "Import of customers", "closed": False}
CLOSED = {"ticket_id": "APO-11", "title": "Export of customers", "closed": True, "assignee": "ada"}


def asked(*told: dict[str, Any], memory: str = "(empty)", **data: Any) -> Reading:
    text = rendered({**PERIOD, **data}, type="snapshot.requested", memory_of_project=memory)
    return read(text, [orjson.dumps(told).decode()])


def drafted(reading: Reading) -> dict[str, list[str]]:
    return {each["heading"]: each["lines"] for each in drafting.sections(reading)}


def test_facts_stand_under_their_headings() -> None:
    reading = asked(CHECKIN, OPEN, CLOSED, memory="## decisions\nbarcode: One barcode per passenger.")

    assert drafted(reading) == {
        "Progress": ["Merged APO-11.", "APO-11: Export of customers"],
        "Decisions": ["One barcode per passenger."],
        "Risks": ["Waiting for legal."],
        "Next": ["APO-12: Import of customers"],
    }


def test_the_draft_is_one_proposal_and_none_without_facts() -> None:
    (draft,) = drafting.snapshot_drafts(asked(CHECKIN, title="Week 47"))

    assert (draft["title"], draft["sections"]) == ("Week 47", drafting.sections(asked(CHECKIN)))
    assert draft["reasoning"] == 'Among what was found: "Merged APO-11."'
    assert drafting.snapshot_drafts(asked()) == []


def test_what_the_request_wants_first_comes_first() -> None:
    reading = asked(CHECKIN, instructions="For the port authority: no names, risks first.")

    assert list(drafted(reading)) == ["Risks", "Progress"]
    assert drafting.summary(reading) == "What was found: risks 1, progress 1. First: Waiting for legal."


def test_events_of_other_days_and_the_request_itself_are_no_facts() -> None:
    earlier = {**CHECKIN, "accepted_at": "2026-11-02T09:00:00Z"}

    reading = asked(earlier, instructions="We decided to leave out names.")

    assert drafted(reading) == {}
    assert drafting.questions(reading) == ["What happened in these days?"]


def test_the_title_is_that_of_the_request_or_the_days() -> None:
    assert drafting.title(asked(title="Week 47")) == "Week 47"
    assert drafting.title(asked(title="")) == "2026-11-16 to 2026-11-20"


def test_the_reviewer_is_asked_about_tickets_that_nobody_has() -> None:
    assert drafting.questions(asked(OPEN, CLOSED)) == ["Who takes APO-12?"]
