"""The streams and consumers."""

import pytest

from contracts.lanes import QUEUES, Queue
from contracts.streams import CONSUMERS, RUNS, STREAMS, Discard, Retention, Stream, runner_consumer
from contracts.subjects import (
    dead_subject,
    event_subject,
    gated_subject,
    presence_subject,
    run_event_subject,
    run_subject,
)


def _holds(stream: Stream, subject: str) -> bool:
    return any(subject.startswith(filter_.removesuffix(">")) for filter_ in stream.subjects)


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (event_subject("doc.created", "acme"), "EVENTS"),
        (run_subject(Queue.LOW, "run_1"), "RUNS"),
        (run_event_subject("acme", None, "agent", "run_1"), "RUN_EVENTS"),
        (dead_subject("run", "run_1"), "DEAD"),
    ],
)
def test_each_persistent_subject_belongs_to_exactly_one_stream(subject: str, name: str) -> None:
    assert [stream.name for stream in STREAMS if _holds(stream, subject)] == [name]


@pytest.mark.parametrize("subject", [presence_subject("gating"), gated_subject("gateway-1")])
def test_core_subjects_belong_to_no_stream(subject: str) -> None:
    assert not [stream.name for stream in STREAMS if _holds(stream, subject)]


def test_second_dispatch_of_a_run_is_refused_by_the_stream() -> None:
    assert RUNS.retention is Retention.WORK_QUEUE
    assert RUNS.discard is Discard.NEW
    assert RUNS.discard_new_per_subject
    assert RUNS.max_msgs_per_subject == 1


def test_every_stream_that_is_no_work_queue_forgets_by_age() -> None:
    assert all(stream.max_age_seconds for stream in STREAMS if stream.retention is Retention.LIMITS)


def test_each_queue_has_one_consumer_that_sees_only_its_runs() -> None:
    filters = [runner_consumer(queue).filter_subject for queue in QUEUES]

    assert filters == [f"run.{queue}.*" for queue in QUEUES]


def test_consumers_redeliver_for_ever_on_streams_that_exist() -> None:
    names = {stream.name for stream in STREAMS}

    assert all(consumer.max_deliver == -1 and consumer.stream in names for consumer in CONSUMERS)
    assert len({consumer.name for consumer in CONSUMERS}) == len(CONSUMERS)
