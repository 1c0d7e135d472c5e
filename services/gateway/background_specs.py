"""Background Agents as OmniCoreAgent describes them, and the Agent versions that they come to. Pure."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.agents import AgentKey, ModelTier, Overlap
from contracts.cron import CronText
from services.gateway.problems import RequestInvalid

Document = dict[str, Any]
Interval = Annotated[int, Field(ge=1, le=31 * 86_400)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]

TARGET = {"type": "background_task", "id": "{data.fire_id}"}


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelConfig(_Config):
    """Which model: `fast`, `reasoning`, or the name of the model that the operator has for one of them."""

    provider: Literal["openai"] = "openai"
    model: str = Field(default=ModelTier.FAST, max_length=128)


class TaskConfig(_Config):
    """What is to be done each time, and what becomes of an attempt that fails or takes too long (in seconds)."""

    query: Text
    max_retries: int = Field(default=3, ge=0, le=5)
    retry_delay: int | None = Field(default=None, ge=1, le=3_600)
    timeout: int = Field(default=600, ge=1, le=3_600)


class BackgroundAgentConfig(_Config):
    """A background Agent; `interval` is a number of seconds, or a cron expression in UTC."""

    agent_id: AgentKey
    system_instruction: Text
    model: ModelConfig = Field(default=ModelConfig(), alias="model_config")
    interval: Interval | CronText
    task_config: TaskConfig


def content_of(config: BackgroundAgentConfig, models: dict[ModelTier, str]) -> Document:
    """Return the Agent version: of the organisation, inactive until it is started, one run at a time.

    `models` are the operator's models by tier. Raises RequestInvalid for a model that is none of them.
    """
    task, interval = config.task_config, config.interval
    schedule = {"every_seconds": interval} if isinstance(interval, int) else {"cron": interval}
    return {
        "key": config.agent_id,
        "name": config.agent_id,
        "visibility": "organisation",
        "tags": ["background"],
        "instructions": f"{config.system_instruction}\n\n# Task\nEach time you are started: {task.query}",
        "model": {"tier": _tier(config.model.model, models)},
        "schedule_trigger": {
            "schedule": schedule,
            "target": TARGET,
            "for_each": "organisation",
            "overlap": Overlap.SKIP,
        },
        "auto_start": False,
        "retry_attempts": task.max_retries,
        "retry_delay_seconds": task.retry_delay,
        "timeout_seconds": task.timeout,
    }


def _tier(name: str, models: dict[ModelTier, str]) -> ModelTier:
    if name in list(ModelTier):
        return ModelTier(name)
    for tier in (ModelTier.FAST, ModelTier.REASONING):
        if models[tier] == name:
            return tier
    known = ", ".join([*ModelTier, *dict.fromkeys(models.values())])
    raise RequestInvalid(f"model_config.model: '{name}' is no model here; there are {known}.")
