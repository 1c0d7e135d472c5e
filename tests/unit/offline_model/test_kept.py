"""Responses that can be asked for again."""

from typing import Any

import pytest

from infra.offline_model.kept import KeptResponses
from infra.offline_model.wire import BadRequest


class Seconds:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def response(name: str = "resp_1", *, background: bool = True) -> dict[str, Any]:
    return {"id": name, "status": "completed", "output": [{"id": "msg_1"}], "usage": {}, "background": background}


def test_background_response_is_done_when_its_time_has_come() -> None:
    seconds = Seconds()
    kept = KeptResponses(seconds)
    kept.keep(response(), [], seconds_until_done=2)

    before = kept.view("resp_1")
    seconds.now = 2

    assert (before["status"], before["output"]) == ("in_progress", [])
    assert kept.view("resp_1") == response()


def test_cancelled_response_never_gets_done() -> None:
    seconds = Seconds()
    kept = KeptResponses(seconds)
    kept.keep(response(), [], seconds_until_done=2)

    kept.cancel("resp_1")
    kept.cancel("resp_1")
    seconds.now = 3

    assert kept.view("resp_1")["status"] == "cancelled"


def test_cancelling_what_is_done_changes_nothing() -> None:
    kept = KeptResponses(Seconds())
    kept.keep(response(), [])

    assert kept.cancel("resp_1")["status"] == "completed"


def test_response_that_was_waited_for_cannot_be_cancelled() -> None:
    kept = KeptResponses(Seconds())
    kept.keep(response(background=False), [])

    with pytest.raises(BadRequest, match="synchronous"):
        kept.cancel("resp_1")


def test_unknown_response_is_not_found() -> None:
    with pytest.raises(BadRequest, match="resp_9") as caught:
        KeptResponses(Seconds()).view("resp_9")

    assert caught.value.status == 404


def test_oldest_responses_are_forgotten_first() -> None:
    kept = KeptResponses(Seconds())

    for number in range(1_001):
        kept.keep(response(f"resp_{number}"), [])

    kept.view("resp_1")
    with pytest.raises(BadRequest):
        kept.view("resp_0")


def test_conversation_is_input_and_output() -> None:
    kept = KeptResponses(Seconds())
    kept.keep(response(), [{"id": "in_1"}])

    assert kept.conversation("resp_1") == [{"id": "in_1"}, {"id": "msg_1"}]
