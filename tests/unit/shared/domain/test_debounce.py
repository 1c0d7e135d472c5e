"""How long a debounced run waits, and what may share one."""

import pytest
from pydantic import ValidationError

from contracts.agents import EventTrigger
from shared.domain.debounce import Debounce, gathering_key

TRIGGER = {"event": "doc.updated", "target": {"type": "doc", "id": "{data.doc_id}"}}


def trigger(**waits: int) -> EventTrigger:
    return EventTrigger.model_validate(TRIGGER | waits)


def test_a_debounce_has_a_longest_wait_of_its_own_or_ten_times_its_seconds() -> None:
    assert Debounce.of(trigger()) is None
    assert Debounce.of(trigger(debounce_seconds=5)) == Debounce(5, 50)
    assert Debounce.of(trigger(debounce_seconds=5, max_wait_seconds=30)) == Debounce(5, 30)


@pytest.mark.parametrize(
    ("waits", "named"),
    [
        ({"delay_seconds": 5, "debounce_seconds": 5}, "set one of them"),
        ({"max_wait_seconds": 5}, "set that, too"),
        ({"debounce_seconds": 5, "max_wait_seconds": 4}, "at least debounce_seconds, 5"),
        ({"debounce_seconds": 3_601}, "debounce_seconds"),
    ],
)
def test_waits_that_contradict_each_other_are_refused(waits: dict[str, int], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        trigger(**waits)


def test_only_the_work_of_one_version_on_one_target_of_one_organisation_is_shared() -> None:
    keys = {
        gathering_key("acme", "noter:1", "doc", "plan"),
        gathering_key("other", "noter:1", "doc", "plan"),
        gathering_key("acme", "noter:2", "doc", "plan"),
        gathering_key("acme", "noter:1", "ticket", "plan"),
        gathering_key("acme", "noter:1", "doc", "other"),
    }

    assert len(keys) == 5
