"""The ways in which the load generator publishes. Each returns what it observed."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator

import nats

from contracts.subjects import event_subject
from infra.bench.load.bodies import Bodies
from infra.bench.load.follower import Follower
from infra.bench.load.gateway import Gateway
from infra.bench.load.job import Job, Outcome

_LAST_END_SECONDS = 30.0

Publish = Callable[[bytes], Awaitable[None]]


async def accept(job: Job, bodies: Bodies) -> Outcome:
    """Publish for a time, every caller one request after the other."""
    numbers = itertools.count(0, job.batch)
    answered = 0
    async with Gateway(job) as gateway:

        async def call(until: float) -> None:
            nonlocal answered
            while time.perf_counter() < until:
                await gateway.publish(_body(bodies, next(numbers), job.batch))
                answered += job.batch

        begun = time.perf_counter()
        await _together(call(begun + job.seconds) for _ in range(job.callers))
        return Outcome(events=answered, seconds=time.perf_counter() - begun)


async def flood(job: Job, bodies: Bodies) -> Outcome:
    """Publish a number of events as fast as it goes."""
    firsts = iter(range(0, job.count, job.batch))
    async with Gateway(job) as gateway:

        async def call() -> None:
            for first in firsts:
                await gateway.publish(_body(bodies, first, min(job.batch, job.count - first)))

        begun = time.time()
        await _together(call() for _ in range(job.callers))
        ended = time.time()
    return Outcome(events=job.count, seconds=ended - begun, moments={"begun": [begun], "ended": [ended]})


async def closed_http(job: Job, bodies: Bodies) -> Outcome:
    """Keep as many runs in flight as there are callers, publishing by HTTP."""
    async with Gateway(job) as gateway, Follower(job) as follower:
        return await _closed(job, bodies, gateway.publish, follower)


async def closed_nats(job: Job, bodies: Bodies) -> Outcome:
    """Keep as many runs in flight as there are callers, publishing to the stream and waiting for its confirmation."""
    client = await nats.connect(job.nats_url)
    stream = client.jetstream()
    subject = event_subject(job.event_type, job.organisation)

    async def publish(body: bytes) -> None:
        await stream.publish(subject, body)

    try:
        async with Follower(job) as follower:
            return await _closed(job, bodies, publish, follower)
    finally:
        await client.close()


async def _closed(job: Job, bodies: Bodies, publish: Publish, follower: Follower) -> Outcome:
    numbers = iter(range(job.count))

    async def call() -> None:
        for number in numbers:
            await publish(bodies.event(number))
            await follower.end_of(bodies.run_id(number, job.agent_key))

    begun = time.perf_counter()
    await _together(call() for _ in range(job.callers))
    return Outcome(events=job.count, seconds=time.perf_counter() - begun)


async def paced(job: Job, bodies: Bodies) -> Outcome:
    """Publish at a fixed pace, then wait for the last runs."""
    count = int(job.seconds * job.per_second)
    sent, accepted = [0.0] * count, [0.0] * count
    async with Gateway(job) as gateway, Follower(job) as follower:

        async def call(number: int, due: float) -> None:
            await asyncio.sleep(due - time.time())
            sent[number] = time.time()
            await gateway.publish(bodies.event(number))
            accepted[number] = time.time()

        begun = time.time()
        await _together(call(number, begun + number / job.per_second) for number in range(count))
        run_ids = [bodies.run_id(number, job.agent_key) for number in range(count)]
        async with asyncio.timeout(_LAST_END_SECONDS):
            await _together(follower.end_of(run_id) for run_id in run_ids)
        moments = {
            "sent": sent,
            "accepted": accepted,
            "started": [follower.started[run_id] for run_id in run_ids],
            "ended": [follower.ended[run_id] for run_id in run_ids],
        }
        return Outcome(events=count, seconds=time.time() - begun, moments=moments)


def _body(bodies: Bodies, first: int, count: int) -> bytes:
    return bodies.event(first) if count == 1 else bodies.batch(first, count)


async def _together(calls: Iterator[Awaitable[None]]) -> None:
    await asyncio.gather(*calls)
