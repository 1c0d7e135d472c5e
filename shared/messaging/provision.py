"""Applies the streams and consumers that the contracts declare; doing it again changes nothing."""

import asyncio
import math
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from contracts.streams import CONSUMERS, EVENTS, RUN_EVENTS, STREAMS, Consumer, Stream
from shared.settings import StreamSettings

log = structlog.get_logger()

_TIMEOUT_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 0.2
_CLUSTER_INCOMPLETE = 10_004
_NO_SUITABLE_PEERS = 10_005

Answer = TypeVar("Answer")


async def provision_streams_soon(client: Client, settings: StreamSettings, patience_seconds: float) -> list[str]:
    """Do as `provision_streams`, again and again while a cluster has no leader or too few members yet."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_seconds
    while True:
        try:
            return await provision_streams(client, settings)
        except (TimeoutError, nats.errors.Error) as error:
            if not _may_pass(error) or loop.time() > deadline:
                raise
            log.warning("provision.postponed", error=str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)


async def provision_streams(client: Client, settings: StreamSettings) -> list[str]:
    """Create what is missing and update what differs; return the names of what was created."""
    jetstream = client.jetstream(timeout=_TIMEOUT_SECONDS)
    streams = [_stream_config(stream, settings.nats_replicas) for stream in with_retention(settings)]
    are_new = await _together(_apply_stream(jetstream, stream) for stream in streams)
    # Creating a consumer that exists updates it, as nats-py's own subscribe does not.
    await _together(jetstream.add_consumer(each.stream, _consumer_config(each)) for each in CONSUMERS)
    return [str(stream.name) for stream, is_new in zip(streams, are_new, strict=True) if is_new]


async def missing_parts(client: Client) -> list[str]:
    """Return the names of declared streams and consumers that the server does not have."""
    # Whoever looks has other things to do, and a stream without a leader answers nothing for seconds.
    jetstream = client.jetstream(timeout=_LOOK_SECONDS)
    missing = []
    for stream in STREAMS:
        try:
            await jetstream.stream_info(stream.name)
        except nats.js.errors.NotFoundError:
            missing.append(stream.name)
    named = {stream: await _consumer_names(client, stream) for stream in {each.stream for each in CONSUMERS}}
    for consumer in CONSUMERS:
        if consumer.name in named[consumer.stream]:
            continue
        try:
            await jetstream.consumer_info(consumer.stream, consumer.name)
        except nats.js.errors.NotFoundError:
            missing.append(f"{consumer.stream}/{consumer.name}")
    return missing


async def _consumer_names(client: Client, stream: str) -> set[str]:
    """Return the names of a stream's consumers: those that the server tells at once, none when it has no such stream."""
    answer = await client.request(f"$JS.API.CONSUMER.NAMES.{stream}", timeout=_LOOK_SECONDS)
    return set(orjson.loads(answer.data).get("consumers") or ())


def _may_pass(error: Exception) -> bool:
    match error:
        case TimeoutError() | nats.errors.NoRespondersError() | nats.js.errors.ServiceUnavailableError():
            return True
        case nats.js.errors.APIError(err_code=code):
            return code in {_CLUSTER_INCOMPLETE, _NO_SUITABLE_PEERS}
        case _:
            return False


def with_retention(settings: StreamSettings) -> list[Stream]:
    """Return the streams as these settings have them kept."""
    seconds = {
        EVENTS.name: settings.event_retention_seconds,
        RUN_EVENTS.name: settings.ai_queue_status_retention_seconds,
    }
    return [replace(stream, max_age_seconds=seconds.get(stream.name, stream.max_age_seconds)) for stream in STREAMS]


async def _together(requests: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """Ask all at once: in a cluster each part elects a leader of its own, which takes seconds while a member is down."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(request) for request in requests]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]


async def _apply_stream(jetstream: JetStreamContext, config: StreamConfig) -> bool:
    try:
        await jetstream.stream_info(str(config.name))
    except nats.js.errors.NotFoundError:
        await jetstream.add_stream(config)
        return True
    await jetstream.update_stream(config)
    return False


def _stream_config(stream: Stream, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy(stream.retention),
        storage=StorageType(stream.storage),
        discard=DiscardPolicy(stream.discard),
        discard_new_per_subject=stream.discard_new_per_subject,
        max_age=stream.max_age_seconds or 0,
        max_msgs_per_subject=stream.max_msgs_per_subject or -1,
        # The server refuses a window that is longer than what the stream keeps.
        duplicate_window=min(stream.duplicate_window_seconds, stream.max_age_seconds or math.inf),
        num_replicas=replicas,
    )


def _consumer_config(consumer: Consumer) -> ConsumerConfig:
    return ConsumerConfig(
        name=consumer.name,
        durable_name=consumer.name,
        filter_subject=consumer.filter_subject,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        ack_wait=consumer.ack_wait_seconds,
        max_deliver=consumer.max_deliver,
        max_ack_pending=consumer.max_ack_pending,
    )
