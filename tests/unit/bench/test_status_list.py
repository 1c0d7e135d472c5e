"""The runs that the benchmark writes are runs that the gateway shows."""

from datetime import UTC, datetime, timedelta

from infra.bench.scenarios.status_list import active_run, finished_run
from services.gateway.views import RunView, run_view

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_an_active_run_of_the_benchmark_is_shown_as_one_that_waits() -> None:
    shown = RunView.model_validate(run_view(active_run(1, NOW)))

    assert (shown.status, shown.waiting_for and shown.waiting_for.what) == ("queued", "retry")


def test_finished_runs_of_the_benchmark_are_shown_and_some_have_failed() -> None:
    shown = [RunView.model_validate(run_view(finished_run(number, NOW - timedelta(hours=1)))) for number in range(2)]

    assert [run.status for run in shown] == ["failed", "completed"]
