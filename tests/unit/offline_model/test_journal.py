"""The journal of calls."""

from datetime import UTC, datetime

from infra.offline_model.journal import CallStatus, Ending, Journal

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Seconds:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def journal(limit: int = 10, seconds: Seconds | None = None) -> Journal:
    return Journal(limit, lambda: NOW, seconds or Seconds())


def test_call_is_kept_from_its_beginning_to_its_end() -> None:
    calls = journal()

    calls.begin("a", "resp", "gpt-5.1", {"run_id": "run_1"}, None)
    running = calls.as_json()["calls"][0]
    calls.end("a", Ending(CallStatus.COMPLETED, 3, 4))

    (ended,) = calls.as_json()["calls"]
    assert (running["status"], running["time"], running["metadata"]) == ("running", NOW, {"run_id": "run_1"})
    assert (ended["status"], ended["input_tokens"], ended["output_tokens"]) == ("completed", 3, 4)
    assert not ended["cancelled"]


def test_cancelled_call_is_marked() -> None:
    calls = journal()

    calls.begin("a", "resp", "m", {}, None)
    calls.end("a", Ending(CallStatus.CANCELLED))

    assert calls.as_json()["calls"][0]["cancelled"]


def test_call_in_the_background_runs_until_its_time_has_come() -> None:
    seconds = Seconds()
    calls = journal(seconds=seconds)

    calls.begin("a", "resp", "m", {}, None, background=True)
    calls.end("a", Ending(CallStatus.COMPLETED, 3, 4, at=2.0))
    running = calls.as_json()["calls"][0]
    seconds.now = 2.0
    (ended,) = calls.as_json()["calls"]

    assert (running["status"], running["output_tokens"], running["background"]) == ("running", 0, True)
    assert (ended["status"], ended["output_tokens"]) == ("completed", 4)


def test_call_that_was_cancelled_before_its_time_stays_so() -> None:
    seconds = Seconds()
    calls = journal(seconds=seconds)

    calls.begin("a", "resp", "m", {}, None, background=True)
    calls.end("a", Ending(CallStatus.COMPLETED, 3, 4, at=2.0))
    calls.end("a", Ending(CallStatus.CANCELLED))
    seconds.now = 2.0

    assert calls.as_json()["calls"][0]["status"] == "cancelled"


def test_retrievals_of_a_call_are_counted() -> None:
    calls = journal()

    calls.begin("a", "resp", "m", {}, None)
    calls.retrieved("a")
    calls.retrieved("a")
    calls.retrieved("unknown")

    assert [each["retrievals"] for each in calls.as_json()["calls"]] == [2]


def test_no_more_than_the_limit_are_kept_but_all_are_counted() -> None:
    calls = journal(limit=2)

    for name in "abc":
        calls.begin(name, "resp", "m", {}, None)
    calls.end("a", Ending(CallStatus.COMPLETED))

    kept = calls.as_json()
    assert ([each["id"] for each in kept["calls"]], kept["total"]) == (["b", "c"], 3)


def test_cleared_journal_is_empty() -> None:
    calls = journal()

    calls.begin("a", "resp", "m", {}, None)
    calls.clear()

    assert (calls.as_json()["calls"], calls.as_json()["total"]) == ([], 0)
