"""A background Agent as OmniCoreAgent describes it, and the Agent version that it comes to."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.agents import CronSchedule, ForEach, IntervalSchedule, ModelTier, Overlap
from services.gateway.background_specs import BackgroundAgentConfig, content_of
from services.gateway.problems import RequestInvalid
from shared.domain.agent_check import checked

MODELS = {ModelTier.FAST: "gpt-4o-mini", ModelTier.REASONING: "gpt-5.1"}
MONITOR: dict[str, Any] = {
    "agent_id": "system_monitor",
    "system_instruction": "Monitor system resources and alert if usage is high.",
    "model_config": {"provider": "openai", "model": "gpt-4o-mini"},
    "interval": 300,
    "task_config": {"query": "Check local CPU and Memory usage.", "max_retries": 2, "retry_delay": 30, "timeout": 90},
}


def config(**changes: Any) -> BackgroundAgentConfig:
    return BackgroundAgentConfig.model_validate(MONITOR | changes)


def test_every_field_is_one_of_the_version() -> None:
    spec = checked(content_of(config(), MODELS))

    assert (spec.key, spec.visibility, spec.auto_start, spec.model.tier) == (
        "system_monitor",
        "organisation",
        False,
        ModelTier.FAST,
    )
    assert spec.instructions.startswith("Monitor system resources")
    assert "Check local CPU and Memory usage." in spec.instructions
    assert (spec.retry_attempts, spec.retry_delay_seconds, spec.timeout_seconds) == (2, 30, 90)
    trigger = spec.schedule_trigger
    assert trigger is not None
    assert trigger.schedule == IntervalSchedule(every_seconds=300)
    assert (trigger.for_each, trigger.overlap) == (ForEach.ORGANISATION, Overlap.SKIP)


def test_an_interval_may_be_a_cron_expression() -> None:
    spec = checked(content_of(config(interval="*/5 * * * *"), MODELS))

    assert spec.schedule_trigger is not None
    assert spec.schedule_trigger.schedule == CronSchedule(cron="*/5 * * * *")


@pytest.mark.parametrize(
    ("model", "tier"), [("fast", "fast"), ("reasoning", "reasoning"), ("gpt-4o-mini", "fast"), ("gpt-5.1", "reasoning")]
)
def test_a_model_is_a_tier_or_the_operators_model_of_one(model: str, tier: str) -> None:
    assert content_of(config(model_config={"model": model}), MODELS)["model"] == {"tier": tier}


def test_a_model_that_nobody_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestInvalid, match=r"'gpt-9' is no model here; there are .*gpt-4o-mini"):
        content_of(config(model_config={"model": "gpt-9"}), MODELS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"agent_id": "System Monitor"},
        {"interval": 0},
        {"interval": "often"},
        {"interval": "0 0 30 2 *"},
        {"model_config": {"provider": "acme"}},
        {"task_config": {"query": " "}},
        {"task_config": {"query": "x", "max_retries": 6}},
        {"task_config": {"query": "x", "retry_delay": 0}},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_obeyed_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)
