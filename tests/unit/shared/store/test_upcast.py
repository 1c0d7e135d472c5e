"""Runs of the version before, read as this one writes them."""

from typing import Any

import pytest

from shared.domain.deadline import overdue
from shared.domain.run import RunStatus, Waiting
from shared.domain.slot import OwnLimits
from shared.store.run_documents import run_document
from shared.store.upcast import RUN_SCHEMA, upcast_run
from tests.unit.shared.given import LATER, NOW, a_new_run
from tests.unit.shared.recorded import RECORDED_RUNS


@pytest.mark.parametrize("name", RECORDED_RUNS)
def test_a_recorded_run_has_every_field_of_this_version(name: str) -> None:
    run = upcast_run(RECORDED_RUNS[name])

    assert run.keys() >= run_document(a_new_run()).keys()
    assert run["schema"] == RUN_SCHEMA
    assert OwnLimits(**run["own_limits"]) == OwnLimits()
    assert overdue(run, LATER) is None


@pytest.mark.parametrize("name", RECORDED_RUNS)
def test_what_was_recorded_is_kept(name: str) -> None:
    recorded: dict[str, Any] = RECORDED_RUNS[name]

    run = upcast_run(recorded)

    changed = {"schema", "waiting_for"}
    assert {key: run[key] for key in recorded.keys() - changed} == {
        key: recorded[key] for key in recorded.keys() - changed
    }


def test_a_recorded_wait_has_a_beginning() -> None:
    waiting = upcast_run(RECORDED_RUNS["retrying"])["waiting_for"]

    assert (waiting["what"], waiting["since"], waiting["until"]) == (Waiting.RETRY, NOW, LATER)


def test_a_run_of_this_version_is_left_as_it_is() -> None:
    run = run_document(a_new_run())

    assert upcast_run(run) is run
    assert upcast_run(run | {"schema": RUN_SCHEMA + 1})["schema"] == RUN_SCHEMA + 1


def test_the_statuses_that_were_recorded_are_all_that_a_run_may_be_read_in() -> None:
    assert {run["status"] for run in RECORDED_RUNS.values()} == set(RunStatus)
