"""The queue of faults."""

from typing import Any

import pytest
from pydantic import ValidationError

from infra.offline_model.faults import FaultKind, Faults, FaultSpec, Request


def queued(*specs: dict[str, Any]) -> Faults:
    faults = Faults()
    faults.add(FaultSpec.model_validate(each) for each in specs)
    return faults


def test_fault_is_taken_as_often_as_it_was_queued() -> None:
    faults = queued({"kind": "429", "times": 2})

    taken = [faults.take([""]) for _ in range(3)]

    assert [each.kind if each else None for each in taken] == [FaultKind.HTTP_STATUS, FaultKind.HTTP_STATUS, None]


def test_faults_are_taken_in_their_order() -> None:
    faults = queued({"kind": "slow"}, {"kind": "cut"})

    assert [getattr(faults.take([""]), "kind", None) for _ in range(2)] == [FaultKind.SLOW, FaultKind.CUT]


def test_only_matching_calls_are_hit() -> None:
    faults = queued({"kind": "cut", "match": "run_2"})

    assert faults.take(["some input", "run_1"]) is None
    assert faults.take(["some input", "run_2"]) is not None


def test_input_is_matched_too() -> None:
    assert queued({"kind": "cut", "match": "lunch"}).take(["before lunch"]) is not None


def test_waiting_faults_are_shown_with_what_is_left_of_them() -> None:
    faults = queued({"kind": "cut", "times": 3})

    faults.take([""])

    assert [each["times"] for each in faults.waiting()] == [2]


def test_cleared_faults_hit_nothing() -> None:
    faults = queued({"kind": "cut"})

    faults.clear()

    assert faults.take([""]) is None


def test_fault_hits_only_the_request_it_is_for() -> None:
    faults = queued({"kind": "409", "on": "cancel"})

    assert faults.take([""], Request.CREATE) is None
    assert faults.take([""], Request.CANCEL) is not None


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"kind": "200"},
        {"kind": "boom"},
        {"kind": "http_status"},
        {"kind": "cut", "times": 0},
        {"kind": "cut", "x": 1},
        {"kind": "refusal", "on": "retrieve"},
    ],
)
def test_unknown_faults_are_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FaultSpec.model_validate(spec)
