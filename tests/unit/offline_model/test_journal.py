"""The journal of calls."""

from datetime import UTC, datetime

from infra.offline_model.journal import CallStatus, Journal

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def journal(limit: int = 10) -> Journal:
    return Journal(limit, lambda: NOW)


def test_call_is_kept_from_its_beginning_to_its_end() -> None:
    calls = journal()

    calls.begin("a", "resp", "gpt-5.1", {"run_id": "run_1"}, None)
    running = calls.as_json()["calls"][0]
    calls.end("a", CallStatus.COMPLETED, 3, 4)

    (ended,) = calls.as_json()["calls"]
    assert (running["status"], running["time"], running["metadata"]) == ("running", NOW, {"run_id": "run_1"})
    assert (ended["status"], ended["input_tokens"], ended["output_tokens"]) == ("completed", 3, 4)
    assert not ended["cancelled"]


def test_cancelled_call_is_marked() -> None:
    calls = journal()

    calls.begin("a", "resp", "m", {}, None)
    calls.end("a", CallStatus.CANCELLED)

    assert calls.as_json()["calls"][0]["cancelled"]


def test_no_more_than_the_limit_are_kept_but_all_are_counted() -> None:
    calls = journal(limit=2)

    for name in "abc":
        calls.begin(name, "resp", "m", {}, None)
    calls.end("a", CallStatus.COMPLETED)

    kept = calls.as_json()
    assert ([each["id"] for each in kept["calls"]], kept["total"]) == (["b", "c"], 3)


def test_cleared_journal_is_empty() -> None:
    calls = journal()

    calls.begin("a", "resp", "m", {}, None)
    calls.clear()

    assert (calls.as_json()["calls"], calls.as_json()["total"]) == ([], 0)
