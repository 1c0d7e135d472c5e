"""A NATS cluster of three: it can be provisioned as soon as it starts, and outlives any one member."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import nats.errors
import pytest
import pytest_asyncio
from nats.aio.client import Client

from contracts.streams import CONSUMERS, EVENTS, STREAMS
from infra.local.nats_cluster import NatsCluster
from infra.local.ports import free_port
from infra.local.settings import NATS_PORTS
from shared.messaging.provision import missing_parts, provision_streams, provision_streams_soon
from shared.settings import StreamSettings
from tests.support.duration import only_when_long
from tests.support.waiting import until_seen

pytestmark = [pytest.mark.xdist_group("clusters"), pytest.mark.timeout(60)]

SIZE = 3
MESSAGES = 50
SUBJECT = "event.checkin.submitted.acme"
THREE_COPIES = StreamSettings(nats_replicas=SIZE)


@pytest.fixture
def cluster(server_folder: Path) -> NatsCluster:
    folder = Path(tempfile.mkdtemp(prefix="nats-cluster-", dir=server_folder))
    return NatsCluster.of(SIZE, free_port(NATS_PORTS[SIZE]), folder, folder)


@pytest_asyncio.fixture
async def started(cluster: NatsCluster) -> AsyncIterator[NatsCluster]:
    async with _wiped_at_the_end(cluster):
        await _start(cluster, *_names(cluster))
        await cluster.until_ready()
        yield cluster


@pytest_asyncio.fixture
async def client(started: NatsCluster) -> AsyncIterator[Client]:
    async with _connected(started) as client:
        await provision_streams(client, THREE_COPIES)
        yield client


@asynccontextmanager
async def _wiped_at_the_end(cluster: NatsCluster) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.to_thread(cluster.wipe)


@asynccontextmanager
async def _connected(cluster: NatsCluster) -> AsyncIterator[Client]:
    client = await nats.connect(cluster.url.split(","), max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    try:
        yield client
    finally:
        await client.close()


def _names(cluster: NatsCluster) -> list[str]:
    return [member.name for member in cluster.members]


async def _start(cluster: NatsCluster, *names: str) -> None:
    chosen = [member for member in cluster.members if member.name in names]
    await asyncio.gather(*(asyncio.to_thread(member.start) for member in chosen))


async def _lose(cluster: NatsCluster, name: str) -> None:
    member = next(member for member in cluster.members if member.name == name)
    await asyncio.to_thread(member.wipe)


async def _publish(client: Client, count: int) -> None:
    """Publish events until the stream has confirmed this many."""
    for number in range(count):
        while True:
            try:
                await client.jetstream().publish(SUBJECT, b"{}", timeout=1, headers={"Nats-Msg-Id": str(number)})
                break
            except (TimeoutError, nats.errors.Error):
                await asyncio.sleep(0.05)


async def test_a_cluster_is_provisioned_while_its_members_are_still_starting(cluster: NatsCluster) -> None:
    first, *others = _names(cluster)
    async with _wiped_at_the_end(cluster):
        await _start(cluster, first)
        async with _connected(cluster) as client:
            provisioning = asyncio.create_task(provision_streams_soon(client, THREE_COPIES, 30))
            await _start(cluster, *others)

            assert await provisioning == [stream.name for stream in STREAMS]

            copies = {each.name: (await client.jetstream().stream_info(each.name)).cluster for each in STREAMS}
            assert {name: len(copy.replicas or ()) for name, copy in copies.items() if copy} == {
                stream.name: SIZE - 1 for stream in STREAMS
            }
            assert await missing_parts(client) == []


async def test_streams_of_one_copy_get_three_when_they_are_asked_for(started: NatsCluster) -> None:
    async with _connected(started) as client:
        await provision_streams(client, StreamSettings(nats_replicas=1))
        await _publish(client, MESSAGES)

        await provision_streams(client, THREE_COPIES)

        stream = await client.jetstream().stream_info(EVENTS.name)
        assert (stream.config.num_replicas, stream.state.messages) == (SIZE, MESSAGES)
        assert len({consumer.name for consumer in CONSUMERS}) == sum(
            [(await client.jetstream().stream_info(each.name)).state.consumer_count for each in STREAMS]
        )


@only_when_long
async def test_a_stream_goes_on_when_its_leader_loses_everything(started: NatsCluster, client: Client) -> None:
    await _publish(client, MESSAGES)
    leader = await started.stream_leader(EVENTS.name)
    assert leader is not None

    await _lose(started, leader)
    await _publish(client, 2 * MESSAGES)
    successor = await until_seen(lambda: started.stream_leader(EVENTS.name), lambda name: name is not None)
    await _start(started, leader)
    await started.until_ready()

    stream = await client.jetstream().stream_info(EVENTS.name)
    assert successor != leader
    assert stream.state.messages == 2 * MESSAGES
    assert stream.cluster is not None
    assert {(each.name, each.current) for each in stream.cluster.replicas or ()} == {
        (name, True) for name in _names(started) if name != stream.cluster.leader
    }


@only_when_long
async def test_jetstream_gets_another_leader_when_its_own_is_killed(started: NatsCluster, client: Client) -> None:
    leader = await started.meta_leader()
    member = next(member for member in started.members if member.name == leader)

    await asyncio.to_thread(member.kill)
    successor = await until_seen(started.meta_leader, lambda name: name is not None)

    assert successor != leader
    assert await provision_streams_soon(client, THREE_COPIES, 30) == []
