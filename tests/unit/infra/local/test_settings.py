"""What is given decides what is started."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.local.banner import without_password
from infra.local.environment import gateway_environment, service_environment
from infra.local.parts import Stage, towpath
from infra.local.ports import is_free
from infra.local.processes import ROOT
from infra.local.settings import NATS_PORTS, LocalSettings

NOTHING_GIVEN = {
    "nats_url": None,
    "mongodb_url": None,
    "openai_api_key": None,
    "openai_base_url": None,
    "auth_jwt_secret": None,
    "data_dir": Path(".towpath"),
}


def _settings(**values: object) -> LocalSettings:
    return LocalSettings.model_validate({**NOTHING_GIVEN, **values})


def _environment(settings: LocalSettings, **inherited: str) -> dict[str, str]:
    return service_environment(inherited, settings, "nats://n", "mongodb://m")


def test_an_empty_variable_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", "")
    monkeypatch.setenv("RUNNERS", "")

    settings = LocalSettings(_env_file=None)

    assert settings.nats_url is None
    assert settings.runners == 1


@pytest.mark.parametrize("values", [{"gateway_port": 0}, {"nats_port": 70_000}, {"runners": 0}, {"cluster": 2}])
def test_impossible_values_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        _settings(**values)


def test_data_lies_in_the_repository_unless_an_absolute_folder_is_given(tmp_path: Path) -> None:
    assert _settings().data_folder == ROOT / ".towpath"
    assert _settings(data_dir=tmp_path).data_folder == tmp_path


@pytest.mark.parametrize("cluster", [1, 3])
def test_free_ports_leave_room_for_every_server(tmp_path: Path, cluster: int) -> None:
    settings = _settings(cluster=cluster).on_free_ports(tmp_path)

    nats = range(settings.nats_port, settings.nats_port + NATS_PORTS[cluster])
    mongodb = range(settings.mongodb_port, settings.mongodb_port + cluster)
    ports = {*nats, *mongodb, settings.gateway_port, settings.offline_model_port}
    assert len(ports) == NATS_PORTS[cluster] + cluster + 2
    assert all(is_free(port) for port in ports)
    assert settings.data_folder == tmp_path


def test_the_size_of_a_cluster_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTER", "3")

    assert LocalSettings(_env_file=None).cluster == 3


def test_services_are_told_of_three_copies_only_where_a_cluster_is_started() -> None:
    assert _environment(_settings(cluster=3))["NATS_REPLICAS"] == "3"
    assert "NATS_REPLICAS" not in _environment(_settings())
    assert "NATS_REPLICAS" not in _environment(_settings(cluster=3, nats_url="nats://given"))


def test_without_a_provider_the_services_are_pointed_at_the_offline_model() -> None:
    environment = _environment(_settings(offline_model_port=9), OPENAI_API_KEY="")

    assert environment["OPENAI_BASE_URL"] == "http://127.0.0.1:9/v1"
    assert environment["OPENAI_API_KEY"] == "offline"


@pytest.mark.parametrize("given", [{"openai_api_key": "sk-1"}, {"openai_base_url": "http://127.0.0.1:1/v1"}])
def test_a_given_provider_is_left_alone(given: dict[str, str]) -> None:
    settings = _settings(**given)

    assert "OPENAI_BASE_URL" not in _environment(settings)
    assert "offline-model" not in [part.name for part in towpath(settings)]


def test_services_find_the_servers_and_log_for_machines() -> None:
    environment = _environment(_settings(), PATH="/bin", NATS_URL="nats://old")

    assert environment["PATH"] == "/bin"
    assert environment["NATS_URL"] == "nats://n"
    assert environment["MONGODB_URL"] == "mongodb://m"
    assert environment["LOG_FORMAT"] == "json"


def test_the_secret_is_told_to_the_gateway_alone() -> None:
    settings = _settings(gateway_port=7)

    assert gateway_environment(settings, "s") == {
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PORT": "7",
        "AUTH_JWT_SECRET": "s",
    }
    assert "AUTH_JWT_SECRET" not in _environment(settings)


def test_the_whole_product_starts_in_two_stages() -> None:
    parts = towpath(_settings(runners=2))

    stages = {stage: [part.name for part in parts if part.stage is stage] for stage in Stage}
    assert stages == {
        Stage.PREPARATION: ["offline-model", "provision"],
        Stage.SERVICE: ["gateway", "gating", "scheduler", "runner-1", "runner-2"],
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://ada:pass@one:1,two:2/?replicaSet=r", "mongodb://***@one:1,two:2/?replicaSet=r"),
        ("nats://a:b@one:1,nats://c:d@two:2", "nats://***@one:1,nats://***@two:2"),
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
    ],
)
def test_passwords_in_addresses_are_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
