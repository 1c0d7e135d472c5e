"""What the members of clusters are called, where they listen, and how they are started."""

from pathlib import Path

import pytest

from infra.local.nats_cluster import NatsCluster
from infra.local.ports import LOOPBACK
from infra.local.replica_set import ReplicaSet

NATS_PORT = 20_100
MONGODB_PORT = 20_200


@pytest.mark.parametrize("kind", [NatsCluster, ReplicaSet])
def test_a_lone_server_has_no_number(kind: type[NatsCluster | ReplicaSet], tmp_path: Path) -> None:
    (member,) = kind.of(1, NATS_PORT, tmp_path, tmp_path / "logs").members

    assert member.name in {"nats", "mongod"}
    assert (member.port, member.data_dir) == (NATS_PORT, tmp_path / member.name)
    assert member.log_path == tmp_path / "logs" / f"{member.name}.log"


def test_members_have_names_ports_and_folders_of_their_own(tmp_path: Path) -> None:
    members = [
        *NatsCluster.of(3, NATS_PORT, tmp_path, tmp_path).members,
        *ReplicaSet.of(3, MONGODB_PORT, tmp_path, tmp_path).members,
    ]

    assert [each.name for each in members] == ["nats-1", "nats-2", "nats-3", "mongod-1", "mongod-2", "mongod-3"]
    assert [each.port for each in members][::3] == [NATS_PORT, MONGODB_PORT]
    assert len({each.port for each in members}) == len({each.data_dir for each in members}) == len(members)
    assert {each.data_dir for each in members} == {tmp_path / each.name for each in members}


def test_clients_are_given_every_member(tmp_path: Path) -> None:
    nats = NatsCluster.of(3, NATS_PORT, tmp_path, tmp_path)
    mongo = ReplicaSet.of(3, MONGODB_PORT, tmp_path, tmp_path)

    hosts = ",".join(f"{LOOPBACK}:{member.port}" for member in mongo.members)
    assert nats.url == ",".join(f"nats://{LOOPBACK}:{member.port}" for member in nats.members)
    assert mongo.url == f"mongodb://{hosts}/?replicaSet=towpath"
