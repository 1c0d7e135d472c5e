"""Settings that are wrong end a process at its start, each named."""

import pytest

from shared.process import read_settings
from shared.settings import GatewaySettings, RunnerSettings, ServiceSettings

SECRET = "s" * 32


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (GatewaySettings, RunnerSettings):
        for name in kind.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setitem(kind.model_config, "env_file", None)


def test_every_wrong_setting_is_named_and_the_process_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTH_JWT_SECRET", SECRET)
    monkeypatch.setenv("GATEWAY_PORT", "70000")
    monkeypatch.setenv("GATE_WAIT_SECONDS", "soon")

    with pytest.raises(SystemExit) as ended:
        read_settings(GatewaySettings)

    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert sorted(line.partition(":")[0] for line in lines) == ["GATEWAY_PORT", "GATE_WAIT_SECONDS"]


def test_settings_that_do_not_fit_each_other_are_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEASE_SECONDS", "2")
    monkeypatch.setenv("HEARTBEAT_SECONDS", "1.5")

    with pytest.raises(SystemExit):
        read_settings(RunnerSettings)

    assert "LEASE_SECONDS (2.0) must be at least twice HEARTBEAT_SECONDS (1.5)" in capsys.readouterr().err


def test_a_gateway_that_could_check_no_token_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(GatewaySettings)

    assert "set AUTH_JWT_SECRET or AUTH_JWKS_URL" in capsys.readouterr().err


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AUTH_JWT_SECRET", SECRET)
    monkeypatch.setenv("MAX_EVENT_BYTES", "1")

    with pytest.raises(SystemExit):
        read_settings(GatewaySettings)

    assert SECRET not in capsys.readouterr().err
    monkeypatch.delenv("MAX_EVENT_BYTES")
    assert SECRET not in repr(read_settings(GatewaySettings))


def test_settings_that_are_right_are_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", "nats://one:4222, nats://two:4222")

    assert read_settings(ServiceSettings).nats_servers == ["nats://one:4222", "nats://two:4222"]
