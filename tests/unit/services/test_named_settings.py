"""The settings whose names products know: read from the environment and from `.env`, and obeyed where they belong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.agents import DailySchedule, IntervalSchedule, ModelTier
from contracts.streams import RUN_EVENTS
from infra.provision import seeded_agents
from services.gateway.app import create_app
from services.runner.agents.continuation import Continuations
from services.runner.agents.llm import LlmAgent
from services.runner.app import handlers, web_access
from services.runner.documents import Documents, documents, paced
from services.runner.tools.tool import stores_of
from services.scheduler.app import periodic_work
from services.scheduler.leader import Leader
from shared.admission import queue_limits
from shared.clock import utc_now
from shared.domain.rate import Limits
from shared.llm.openai_client import OpenAIModel
from shared.llm.paced import PacedEmbedder
from shared.messaging.provision import with_retention
from shared.messaging.publisher import Publisher
from shared.settings import (
    GatewaySettings,
    GatingSettings,
    ProvisionSettings,
    RunnerSettings,
    SchedulerSettings,
    ServiceSettings,
)
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from shared.store.sessions import SessionStore
from shared.store.watch import ConfigurationWatch
from shared.testing.lanes import MemoryLanes
from shared.testing.model import ScriptedModel

SECRET = {"AUTH_JWT_SECRET": "s" * 32}


def fires(settings: SchedulerSettings) -> str:
    """Return whether the scheduler has anything that fires."""
    mongo = Mongo(settings)
    leader = Leader(LeaseStore(mongo.database), "scheduler-1", settings.leader_lease_seconds)
    watch = ConfigurationWatch(mongo.database)
    loops = periodic_work(settings, mongo, Publisher(), watch, leader, utc_now)
    mongo.close()
    return str("timers" in loops).lower()


def pulse_seconds(settings: ProvisionSettings) -> int:
    """Return how often the operating pulse fires by default."""
    (pulse,) = [spec for spec in seeded_agents(settings) if spec.key == "operating_pulse"]
    assert pulse.schedule_trigger is not None
    assert isinstance(pulse.schedule_trigger.schedule, IntervalSchedule)
    return pulse.schedule_trigger.schedule.every_seconds


def scan_hour(settings: ProvisionSettings) -> int:
    """Return the hour of the nightly scan that provisioning seeds."""
    (scanner,) = [spec for spec in seeded_agents(settings) if spec.key == "ticket_conflict_scanner"]
    assert scanner.schedule_trigger is not None
    assert isinstance(scanner.schedule_trigger.schedule, DailySchedule)
    return scanner.schedule_trigger.schedule.daily_hour


def shown_seconds(settings: GatewaySettings) -> int:
    """Return how long the gateway shows finished runs."""
    app = create_app(settings)
    app.state.gateway.mongo.close()
    seconds: int = app.state.gateway.settings.ai_queue_status_retention_seconds
    return seconds


def kept_seconds(settings: SchedulerSettings) -> float | None:
    """Return how long the stream of run events keeps them."""
    return next(stream.max_age_seconds for stream in with_retention(settings) if stream.name == RUN_EVENTS.name)


def model_of(tier: ModelTier) -> Callable[[RunnerSettings], str]:
    def asked(settings: RunnerSettings) -> str:
        mongo = Mongo(settings)
        stores = stores_of(mongo.database)
        continuations = Continuations(SessionStore(mongo.database), utc_now, settings.job_output_characters)
        agent = handlers(settings, ScriptedModel(), stores, documents_of(settings, mongo), continuations)["llm"]
        mongo.close()
        assert isinstance(agent, LlmAgent)
        return agent.models[tier]

    return asked


def documents_of(settings: RunnerSettings, mongo: Mongo) -> Documents:
    provider = OpenAIModel("sk-1", None, utc_now)
    return documents(settings, mongo, paced(settings, provider, MemoryLanes(Limits(), utc_now)), utc_now)


def embedding_model_of(settings: RunnerSettings) -> str:
    """Return the model that embeds."""
    mongo = Mongo(settings)
    embedder = documents_of(settings, mongo).embedder
    mongo.close()
    assert isinstance(embedder, PacedEmbedder)
    assert embedder.space == f"{embedder.model}/512"
    return embedder.model


def key_sent(settings: RunnerSettings) -> str:
    """Return the key with which the provider is asked."""
    model = OpenAIModel(settings.openai_api_key.get_secret_value(), None, utc_now)
    key: str = vars(model)["_client"].api_key
    return key


def web_key(settings: RunnerSettings) -> str | None:
    """Return the key with which the web is asked."""
    web = web_access(settings, utc_now)
    return None if web is None else web.api_key


OBEYED: list[tuple[str, str, type[ServiceSettings], Callable[[Any], object]]] = [
    ("operating_background_enabled", "false", SchedulerSettings, fires),
    ("operating_background_interval_seconds", "61", ProvisionSettings, pulse_seconds),
    ("ticket_conflict_scan_hour_utc", "23", ProvisionSettings, scan_hour),
    ("ai_queue_max_concurrency", "7", GatingSettings, lambda settings: queue_limits(settings).server),
    ("ai_queue_max_concurrency", "7", RunnerSettings, lambda settings: queue_limits(settings).server),
    ("ai_queue_max_concurrency", "7", SchedulerSettings, lambda settings: queue_limits(settings).server),
    ("ai_queue_status_retention_seconds", "77", GatewaySettings, shown_seconds),
    ("ai_queue_status_retention_seconds", "77", SchedulerSettings, kept_seconds),
    ("OPENAI_API_KEY", "sk-named", RunnerSettings, key_sent),
    ("EXA_API_KEY", "exa-named", RunnerSettings, web_key),
    ("openai_reasoning_model", "deep-1", RunnerSettings, model_of(ModelTier.REASONING)),
    ("openai_embedding_model", "near-1", RunnerSettings, embedding_model_of),
    ("openai_fast_model", "quick-1", RunnerSettings, model_of(ModelTier.FAST)),
]


@pytest.mark.parametrize(
    ("name", "value", "of", "obeyed"), OBEYED, ids=[f"{name} of {of.__name__}" for name, _, of, _ in OBEYED]
)
@pytest.mark.parametrize("place", ["environment", ".env"])
@pytest.mark.parametrize("spelled", [str.upper, str.lower], ids=["upper case", "lower case"])
async def test_a_named_setting_is_read_and_obeyed(
    name: str,
    value: str,
    of: type[ServiceSettings],
    obeyed: Callable[[Any], object],
    place: str,
    spelled: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(name.upper(), raising=False)
    for variable, secret in SECRET.items():
        monkeypatch.setenv(variable, secret)
    unset = obeyed(of())

    if place == ".env":
        (tmp_path / ".env").write_text(f"{spelled(name)}={value}\n")
    else:
        monkeypatch.setenv(spelled(name), value)

    assert str(obeyed(of())) == value
    assert str(unset) != value
