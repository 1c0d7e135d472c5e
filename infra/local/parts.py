"""What runs on one machine besides the servers, as data: the commands, their order, and when each counts as ready."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.local.ports import LOOPBACK
from infra.local.settings import LocalSettings

SERVICE_STARTED = "service.started"


class Stage(StrEnum):
    """Every part of the preparation is ready before a service starts, and outlives the services."""

    PREPARATION = "preparation"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Logs:
    """Ready when it has logged this event."""

    event: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Ready when a GET of this URL answers 200."""

    url: str


@dataclass(frozen=True, slots=True)
class Accepts:
    """Ready when the port accepts connections."""

    port: int


@dataclass(frozen=True, slots=True)
class Finishes:
    """Ready when it has ended with exit code 0."""


Readiness = Logs | Answers | Accepts | Finishes


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack; parts of one role are stopped together, roles one after the other as listed."""

    name: str
    role: str
    stage: Stage
    command: tuple[str, ...]
    readiness: Readiness
    port: int | None = None
    port_setting: str = ""
    stop_timeout_seconds: float = 10.0


Layout = Callable[[LocalSettings], Sequence[Part]]


def towpath(settings: LocalSettings) -> list[Part]:
    """Return the parts of the whole product, in the order in which they are stopped."""
    runners = [_service("runner", f"runner-{number}") for number in range(1, settings.runners + 1)]
    return [_gateway(settings), _service("gating"), _service("scheduler"), *runners, *_preparation(settings)]


def _gateway(settings: LocalSettings) -> Part:
    ready = Answers(f"{settings.gateway_url}/health/ready")
    command = _module("services.gateway")
    return Part("gateway", "gateway", Stage.SERVICE, command, ready, settings.gateway_port, "GATEWAY_PORT")


def _service(role: str, name: str | None = None) -> Part:
    return Part(name or role, role, Stage.SERVICE, _module(f"services.{role}"), Logs(SERVICE_STARTED))


def _preparation(settings: LocalSettings) -> list[Part]:
    provision = Part("provision", "provision", Stage.PREPARATION, _module("infra.provision"), Finishes())
    if settings.offline_model_url is None:
        return [provision]
    port = settings.offline_model_port
    command = _module("infra.offline_model", "--host", LOOPBACK, "--port", str(port))
    name, setting = "offline-model", "OFFLINE_MODEL_PORT"
    return [Part(name, name, Stage.PREPARATION, command, Accepts(port), port, setting), provision]


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)
