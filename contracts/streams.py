"""The JetStream streams and consumers, as data; provisioning applies them and the services only bind to them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.lanes import QUEUES, Queue
from contracts.subjects import DEAD_SUBJECTS, EVENT_SUBJECTS, RUN_EVENT_SUBJECTS, RUN_SUBJECTS, queue_subjects

_MINUTE: Final = 60.0
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


class Retention(StrEnum):
    """What removes a message: a limit, or the acknowledgement of the one consumer that may see it."""

    LIMITS = "limits"
    WORK_QUEUE = "workqueue"


class Discard(StrEnum):
    """Which message gives way when a limit is reached."""

    OLD = "old"
    NEW = "new"


class Storage(StrEnum):
    """Where a stream keeps its messages."""

    FILE = "file"


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream. The number of replicas belongs to the installation, so whoever provisions passes it in."""

    name: str
    subjects: tuple[str, ...]
    retention: Retention
    max_age_seconds: float | None = None
    max_msgs_per_subject: int | None = None
    duplicate_window_seconds: float = 2 * _MINUTE
    discard: Discard = Discard.OLD
    discard_new_per_subject: bool = False
    storage: Storage = Storage.FILE


@dataclass(frozen=True, slots=True)
class Consumer:
    """One durable pull consumer with explicit acknowledgement.

    It redelivers for ever: whether a message is dead is decided in MongoDB, by the attempt.
    """

    name: str
    stream: str
    filter_subject: str
    ack_wait_seconds: float
    max_deliver: int = -1
    max_ack_pending: int = 20_000


EVENTS: Final = Stream(name="EVENTS", subjects=(EVENT_SUBJECTS,), retention=Retention.LIMITS, max_age_seconds=7 * _DAY)

# One entry a subject, and a second one refused: dispatching a run twice does nothing while the first one waits.
RUNS: Final = Stream(
    name="RUNS",
    subjects=(RUN_SUBJECTS,),
    retention=Retention.WORK_QUEUE,
    max_msgs_per_subject=1,
    discard=Discard.NEW,
    discard_new_per_subject=True,
)

RUN_EVENTS: Final = Stream(
    name="RUN_EVENTS", subjects=(RUN_EVENT_SUBJECTS,), retention=Retention.LIMITS, max_age_seconds=_HOUR
)

DEAD: Final = Stream(name="DEAD", subjects=(DEAD_SUBJECTS,), retention=Retention.LIMITS, max_age_seconds=30 * _DAY)

STREAMS: Final[tuple[Stream, ...]] = (EVENTS, RUNS, RUN_EVENTS, DEAD)

GATING: Final = Consumer(name="gating", stream=EVENTS.name, filter_subject=EVENT_SUBJECTS, ack_wait_seconds=10.0)


def runner_consumer(queue: Queue) -> Consumer:
    """Return the consumer that all runners share for one queue."""
    return Consumer(
        name=f"runner-{queue}", stream=RUNS.name, filter_subject=queue_subjects(queue), ack_wait_seconds=5.0
    )


CONSUMERS: Final[tuple[Consumer, ...]] = (GATING, *(runner_consumer(queue) for queue in QUEUES))
