"""Ids in NATS subjects."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts import subjects
from contracts.lanes import ORDER, QUEUES, Lane, Queue

LEGAL_TOKEN = re.compile(r"[!-)+\-/-=?-~]+")
LONGEST_SUBJECT_BYTES = 3_500

ids = st.text(max_size=128)


@given(ids)
@example("")
@example("_")
@example("%")
@example("%~YQ")
@example("%5F")
@example("a.b c*>\t\r\n")
@example("\U0010ffff" * 128)
def test_token_is_legal_and_gives_the_id_back(value: str) -> None:
    token = subjects.token(value)

    assert LEGAL_TOKEN.fullmatch(token)
    assert subjects.id_of(token) == value


@given(ids, ids)
@example("a.b", "a%2Eb")
@example("é", "e\u0301")
def test_different_ids_have_different_tokens(one: str, other: str) -> None:
    assert (subjects.token(one) == subjects.token(other)) is (one == other)


@given(ids, st.none() | ids, ids, ids)
@example(*["\U0010ffff" * 128] * 4)
def test_subject_of_four_long_ids_stays_legal(organisation: str, user: str | None, agent: str, run: str) -> None:
    subject = subjects.run_event_subject(organisation, user, agent, run)

    assert len(subject.split(".")) == 5
    assert all(LEGAL_TOKEN.fullmatch(token) for token in subject.split("."))
    assert len(subject) < LONGEST_SUBJECT_BYTES


def test_plain_ids_stay_readable() -> None:
    assert subjects.event_subject("checkin.submitted", "acme-labs_2") == "event.checkin.submitted.acme-labs_2"


def test_what_nats_forbids_is_encoded() -> None:
    assert subjects.event_subject("doc.created", "Acme Labs.eu") == "event.doc.created.Acme%20Labs%2Eeu"


def test_user_called_underscore_is_not_nobody() -> None:
    nobody = subjects.run_event_subject("acme", None, "agent", "run_1")
    underscore = subjects.run_event_subject("acme", "_", "agent", "run_1")

    assert nobody == "runevent.acme._.agent.run_1"
    assert underscore == "runevent.acme.%5F.agent.run_1"


def test_run_subject_is_one_token_below_its_queue() -> None:
    assert subjects.run_subject(Queue.HIGH, "run_1") == "run.high.run_1"
    assert subjects.queue_subjects(Queue.HIGH) == "run.high.*"


def test_last_id_reads_the_organisation_and_the_run() -> None:
    assert subjects.last_id(subjects.event_subject("doc.created", "Acme Labs.eu")) == "Acme Labs.eu"
    assert subjects.last_id(subjects.run_subject(Queue.LOW, "run_1")) == "run_1"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (subjects.dead_subject("run", "run_1"), "dead.run.run_1"),
        (subjects.presence_subject("gating"), "presence.gating"),
        (subjects.presence_subject("gating", "host.1"), "presence.gating.host%2E1"),
        (subjects.gated_subject("gateway-1"), "gated.gateway-1"),
        (subjects.cancel_subject("host.1"), "cancel.host%2E1"),
    ],
)
def test_other_subjects_name_their_thing_last(subject: str, expected: str) -> None:
    assert subject == expected


def test_lanes_are_ordered_from_the_most_urgent() -> None:
    assert [str(lane) for lane in ORDER] == ["critical", "high", "medium", "low"]


@pytest.mark.parametrize("lane", ORDER)
def test_every_lane_has_its_queue_and_the_express_queue_in_front_of_it(lane: Lane) -> None:
    plain, express = Queue.of(lane, is_express=False), Queue.of(lane, is_express=True)

    assert (plain.value, express.value) == (lane.value, f"express-{lane}")
    assert (plain.is_express, express.is_express) == (False, True)
    assert QUEUES.index(express) < QUEUES.index(plain)


def test_every_express_queue_is_served_before_the_flood_of_the_most_urgent_lane() -> None:
    assert all(queue.is_express for queue in QUEUES[:4])
    assert [queue.value for queue in QUEUES[4:]] == ["critical", "high", "medium", "low"]


@pytest.mark.parametrize(
    ("narrowed", "is_meant"),
    [
        ({}, True),
        ({"user": "ada"}, True),
        ({"user": "bob"}, False),
        ({"agent_key": "noter", "run_id": "run_1"}, True),
        ({"run_id": "run_2"}, False),
    ],
)
def test_a_pattern_of_run_events_means_those_runs(narrowed: dict[str, str], is_meant: bool) -> None:
    subject = subjects.run_event_subject("acme.eu", "ada", "noter", "run_1")

    assert subjects.matches(subject, subjects.run_event_pattern("acme.eu", **narrowed)) is is_meant


def test_a_pattern_means_no_other_organisation_whatever_it_is_called() -> None:
    subject = subjects.run_event_subject("acme", "ada", "noter", "run_1")

    assert not any(
        subjects.matches(subject, subjects.run_event_pattern(name)) for name in ("*", ">", "acme.ada", "acm", "_", "")
    )
