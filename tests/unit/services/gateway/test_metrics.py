"""The figures as Prometheus reads them."""

from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.gateway.metrics import Snapshot, Stored, exposition
from shared.messaging.backlog import ConsumerBacklog
from shared.store.metrics import OpenRuns, Violations

STORED = Stored(
    runs=[
        OpenRuns("queued", "low", None, 7, 12.5),
        OpenRuns("queued", "low", "retry", 2, 90.0),
        OpenRuns("queued", "high", "retry", 1, 30.0),
        OpenRuns("running", "low", None, 3, 1.0),
        OpenRuns("completed", "low", None, 4, 0.5),
    ],
    dead_letters={("run", "open"): 5},
    dead_letter_totals={"kept": {"run": 9}, "redriven": {"run": 4}},
    violations=Violations(datetime(2026, 11, 20, tzinfo=UTC), {"effects_projected": 1}),
)
BACKLOG = {"gating": ConsumerBacklog(11, 2)}


def figures(snapshot: Snapshot) -> dict[str, float]:
    """Return every sample by its name and labels."""
    return {
        " ".join([sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(exposition(snapshot).decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("towpath_server_up server=mongodb", 1),
        ("towpath_server_up server=nats", 1),
        ("towpath_runs lane=low status=queued", 9),
        ("towpath_runs lane=critical status=queued", 0),
        ("towpath_runs lane=low status=completed", 4),
        ("towpath_runs_queued_oldest_age_seconds lane=low", 12.5),
        ("towpath_runs_queued_oldest_age_seconds lane=high", 0),
        ("towpath_runs_waiting waiting_for=retry", 3),
        ("towpath_runs_waiting waiting_for=organisation", 0),
        ("towpath_runs_waiting_oldest_age_seconds waiting_for=retry", 90),
        ("towpath_dead_letters kind=run status=open", 5),
        ("towpath_dead_letters kind=event status=open", 0),
        ("towpath_dead_letters_kept_total kind=run", 9),
        ("towpath_dead_letters_redriven_total kind=run", 4),
        ("towpath_dead_letters_discarded_total kind=run", 0),
        ("towpath_invariant_violations invariant=effects_projected", 1),
        ("towpath_invariants_checked_timestamp_seconds", 1_795_132_800),
        ("towpath_consumer_pending consumer=gating", 11),
        ("towpath_consumer_unacknowledged consumer=gating", 2),
    ],
)
def test_every_figure_is_told(figure: str, value: float) -> None:
    assert figures(Snapshot(STORED, BACKLOG))[figure] == value


def test_a_server_that_is_away_is_told_and_its_figures_are_left_out() -> None:
    told = figures(Snapshot(None, None))

    assert told == {"towpath_server_up server=mongodb": 0, "towpath_server_up server=nats": 0}
