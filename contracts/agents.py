"""What an author writes: the configuration of an Agent, frozen into a version when it is published."""

from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

from contracts.active_hours import ActiveHours
from contracts.agent_kinds import AgentType, Tags, Visibility
from contracts.batches import BatchSize
from contracts.behaviour import IdleTrigger, MessagesTrigger, Unless
from contracts.cron import CronText
from contracts.effects import EffectKind as EffectKind  # noqa: PLC0414  # it is imported from here, too
from contracts.fields import Clock
from contracts.filters import Filter, MemberFilter
from contracts.lanes import Lane
from contracts.operation import Environment, LoggingLevel
from contracts.queries import Query
from contracts.targets import TargetRule as TargetRule  # noqa: PLC0414  # it is imported from here, too

AgentKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_\-]{0,63}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scope(StrEnum):
    """The four levels at which an Agent is switched on or off, from the widest to the most specific."""

    SERVER = "server"
    ORGANISATION = "organisation"
    PROJECT = "project"
    USER = "user"


class IntervalSchedule(_Model):
    """Due at every whole multiple of the interval since 1970-01-01 UTC, so all replicas agree on the moments."""

    every_seconds: int = Field(ge=1, le=31 * 86_400)


class DailySchedule(_Model):
    """Due once a day at a full hour of the zone's wall clock; the zone `member` is that of each member."""

    daily_hour: int = Field(ge=0, le=23)
    timezone: Clock = "UTC"


class CronSchedule(_Model):
    """Due whenever the zone's wall clock matches five cron fields, as Debian's cron reads them.

    With a fixed minute and hour, a time that a change of clocks skips is due at the change, and one that happens twice is
    due the first time only. With `*` in either field, it is due by the time that passes. The zone `member` is that of each
    member.
    """

    cron: CronText
    timezone: Clock = "UTC"


def _kind_of(schedule: Any) -> str | None:
    names = schedule if isinstance(schedule, dict) else getattr(type(schedule), "model_fields", ())
    return next((name for name in ("every_seconds", "daily_hour", "cron") if name in names), None)


Schedule = Annotated[
    Annotated[IntervalSchedule, Tag("every_seconds")]
    | Annotated[DailySchedule, Tag("daily_hour")]
    | Annotated[CronSchedule, Tag("cron")],
    Discriminator(
        _kind_of,
        custom_error_type="schedule_unknown",
        custom_error_message="A schedule is {'every_seconds': 900}, {'daily_hour': 7} or {'cron': '30 7 * * *'}",
    ),
]
"""One of the three, told apart by the name of its first field."""


class EventTrigger(_Model):
    """Starts the Agent for each event of one type of which `when` is true, `delay_seconds` after the gate has decided.

    With `debounce_seconds` the run waits for more events of its target: each one has it wait so long again, and the run
    is for the last of them. It starts at the latest `max_wait_seconds` after the first one; None is ten times the debounce.
    """

    event: str
    when: Filter | None = None
    target: TargetRule
    delay_seconds: int = Field(default=0, ge=0, le=30 * 86_400)
    debounce_seconds: int = Field(default=0, ge=0, le=3_600)
    max_wait_seconds: int | None = Field(default=None, ge=1, le=86_400)

    @model_validator(mode="after")
    def _waits_in_one_way(self) -> Self:
        if self.delay_seconds and self.debounce_seconds:
            raise ValueError("delay_seconds and debounce_seconds: set one of them, a debounced run waits already")
        if self.max_wait_seconds is not None and not self.debounce_seconds:
            raise ValueError("max_wait_seconds: bounds debounce_seconds; set that, too")
        if self.max_wait_seconds is not None and self.max_wait_seconds < self.debounce_seconds:
            raise ValueError(f"max_wait_seconds: must be at least debounce_seconds, {self.debounce_seconds}")
        return self


class Misfire(StrEnum):
    """What becomes of moments that were missed, such as those of a night without a scheduler."""

    SKIP = "skip"
    FIRE_ONCE = "fire_once"
    FIRE_ALL = "fire_all"


class Overlap(StrEnum):
    """What becomes of a fire while a run of the Agent for the same user and project is open."""

    QUEUE = "queue"
    SKIP = "skip"
    REPLACE = "replace"


class ForEach(StrEnum):
    """For whom a schedule fires: for every member of every project, once for each project, or once for all of it."""

    MEMBER = "member"
    PROJECT = "project"
    ORGANISATION = "organisation"


class ScheduleTrigger(_Model):
    """Starts the Agent at each due moment: for every member of every project, or once for each project or organisation.

    `schedule` is the version's default; a binding may set another. Without either, the Agent does not fire.
    `misfire_limit` is how many moments `fire_all` fires, the latest ones. `jitter_seconds` spreads the members: each
    fires later than due by an offset of its own, up to this, always the same. `user_filter` says which members it
    serves, `unless` which event of the member keeps it from starting.
    """

    schedule: Schedule | None = None
    target: TargetRule
    for_each: ForEach = ForEach.MEMBER
    misfire: Misfire = Misfire.FIRE_ONCE
    misfire_limit: int = Field(default=10, ge=1, le=100)
    jitter_seconds: int = Field(default=0, ge=0, le=3_600)
    overlap: Overlap = Overlap.QUEUE
    user_filter: MemberFilter = "all"
    unless: Unless | None = None


class ModelTier(StrEnum):
    """Which of the two configured models an Agent uses."""

    REASONING = "reasoning"
    FAST = "fast"


class CallMode(StrEnum):
    """How a model is called.

    `background`: the provider keeps the response under an id, so that a new attempt finds it again instead of paying
    for another. `plain`: one request that waits for its answer, and nothing is kept at the provider.
    """

    PLAIN = "plain"
    BACKGROUND = "background"


class ModelSettings(_Model):
    """Which model, how much it may say, and how it is called; without a mode, the runner's setting decides."""

    tier: ModelTier = ModelTier.FAST
    max_output_tokens: int = Field(default=4_000, ge=16, le=128_000)
    mode: CallMode | None = None


class RunLimits(_Model):
    """What ends a run that goes in circles; each limit has its own error code, and None means there is none.

    `request_limit` counts model calls, `max_rounds` the rounds of tool calls, `total_tokens_limit` the input and output
    tokens of the whole run, all attempts together.
    """

    request_limit: int | None = Field(default=50, ge=1, le=10_000)
    total_tokens_limit: int | None = Field(default=None, ge=1)
    max_rounds: int = Field(default=12, ge=1, le=1_000)
    tool_call_timeout_seconds: float = Field(default=30.0, gt=0, le=3_600)


class BindingLimits(_Model):
    """The limits that a scope may set for an Agent; they only ever make those of the version and of others stricter."""

    request_limit: int | None = Field(default=None, ge=1, le=10_000)
    total_tokens_limit: int | None = Field(default=None, ge=1)
    timeout_seconds: int | None = Field(default=None, ge=1, le=3_600)


class MemoryOwner(StrEnum):
    """Whose long-term memory a block is."""

    USER = "user"
    PROJECT = "project"


class AgentSpec(_Model):
    """The whole configuration of an Agent version.

    `handler` is `llm`, or the name of a deterministic handler of the runner. `output_schema` is the JSON Schema that
    the answer must satisfy; the arrays in it named after an effect (`memory_diffs`, `ticket_changes` and so on) become
    proposals when `effects` allows their kind. `proposal_schema` is the JSON Schema of what a custom one holds. `queries`
    are for the handler of that name. `tools` names functions of the runner that the model may call.

    `timeout_seconds` bounds one attempt, `call_timeout_seconds` one model call (None: the runner's setting),
    `run_timeout_seconds` the run from its first start, `queue_timeout_seconds` the time before that. `retry_attempts`
    counts the attempts after the first, `retry_delay_seconds` is the least time before the first of them. `max_concurrent_tasks` is for one organisation, `max_concurrent_per_target` for
    one target in it; None means no limit. `active_hours` are when it may start, unless a binding says otherwise.
    `cooldown_seconds`: so long after a run was started for a target, no event and no fire starts another one for it.

    `batch_size` is how many runs of a batch are open at a time.
    `manual` allows people to start it by hand. `visibility` says whose it is, `agent_type`, `category` and `tags` sort it.
    Without `auto_start`, publishing leaves a new Agent inactive. `performance_monitoring` has its figures computed.
    A `hidden` Agent is no model to chat with; its threads can be read.
    """

    key: AgentKey
    name: str = Field(min_length=1, max_length=128)
    description: str = Field(default="", max_length=2_000)
    visibility: Visibility = Visibility.SERVER
    agent_type: AgentType = AgentType.CUSTOM
    category: str = Field(default="", max_length=64)
    tags: Tags = ()
    handler: str = "llm"
    instructions: str = Field(default="", max_length=50_000)
    environment: Environment = Field(default_factory=dict)
    model: ModelSettings = ModelSettings()
    memory: tuple[MemoryOwner, ...] = ()
    output_schema: dict[str, Any] | None = None
    effects: tuple[EffectKind, ...] = ()
    proposal_schema: dict[str, Any] | None = None
    queries: Annotated[tuple[Query, ...], Field(max_length=20)] = ()
    batch_size: BatchSize = 50
    triggers: tuple[EventTrigger, ...] = ()
    schedule_trigger: ScheduleTrigger | None = None
    on_idle: IdleTrigger | None = None
    after_messages: MessagesTrigger | None = None
    active_hours: ActiveHours | None = None
    cooldown_seconds: int = Field(default=0, ge=0, le=30 * 86_400)
    manual: bool = True
    auto_start: bool = True
    logging_level: LoggingLevel = LoggingLevel.DEBUG
    performance_monitoring: bool = True
    hidden: bool = False
    priority_level: Lane = Lane.MEDIUM
    tools: tuple[str, ...] = ()
    limits: RunLimits = RunLimits()
    max_concurrent_tasks: int | None = Field(default=None, ge=1, le=10)
    max_concurrent_per_target: int | None = Field(default=None, ge=1, le=10)
    retry_attempts: int = Field(default=3, ge=0, le=5)
    retry_delay_seconds: int | None = Field(default=None, ge=1, le=3_600)
    timeout_seconds: int = Field(default=600, ge=1, le=3_600)
    call_timeout_seconds: int | None = Field(default=None, ge=1, le=3_600)
    run_timeout_seconds: int | None = Field(default=86_400, ge=1)
    queue_timeout_seconds: int | None = Field(default=7 * 86_400, ge=1)

    def content_hash(self) -> str:
        """The same for equal configurations, whoever wrote them and whenever."""
        return sha256(orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).hexdigest()
