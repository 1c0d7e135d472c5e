"""The review of somebody's last days."""

import orjson

from infra.offline_model import reviewing
from infra.offline_model.findings import Reading, read
from tests.unit.offline_model.inputs import CHECKIN, rendered


def reviewed(*days: dict[str, str]) -> Reading:
    told = orjson.dumps([{"type": "checkin.submitted", "data": each} for each in days]).decode()
    return read(rendered({"date": "2026-11-21"}, type="schedule.fired"), [told])


def test_what_was_finished_or_decided_is_a_win() -> None:
    assert [each["title"] for each in reviewing.wins(reviewed(CHECKIN))] == [
        "Merged APO-11",
        "Paired with Ben",
        "We decided to ship the import behind a …",
    ]


def test_blockers_come_first_then_what_has_a_date() -> None:
    day = {"today": "Write the guide. Finish APO-12 by Friday.", "blockers": "Waiting for legal."}

    steps = reviewing.next_steps(reviewed(day))

    assert [each["title"] for each in steps] == ["Waiting for legal", "Finish APO-12 by Friday", "Write the guide"]


def test_the_review_counts_and_quotes() -> None:
    text = reviewing.review(reviewed({"yesterday": "Merged APO-11.", "blockers": "Waiting for legal."}))

    assert text == ('1 thing moved, 1 blocker in the way. You wrote: "Merged APO-11". You wrote: "Waiting for legal".')


def test_nothing_new_is_said_in_one_sentence() -> None:
    assert reviewing.review(reviewed()) == "Nothing new was heard of you."
