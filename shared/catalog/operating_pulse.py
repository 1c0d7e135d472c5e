"""Looks, from time to time, at what is remembered of a person and a project, and says what matters now."""

from contracts.agents import (
    AgentSpec,
    IntervalSchedule,
    MemoryOwner,
    ModelSettings,
    ModelTier,
    ScheduleTrigger,
    TargetRule,
)
from contracts.lanes import Lane
from shared.catalog import prompts, schemas

MOST_FOCUS = 3
MOST_RISKS = 5

_ROLE = """
You prepare the "Today" view of one person in one project. A schedule came due; nobody is waiting for you. From what \
is remembered of the person and the project you say what matters now."""

_TASK = f"""
# What to produce
1. `pulse`: one to three sentences about where the person's work stands, as of the day in the content. When the \
memory holds nothing about current work, say that in one sentence and leave the lists empty.
2. `focus`: at most {MOST_FOCUS} things to do next, the most urgent first.
3. `risks`: at most {MOST_RISKS} dates, blockers and contradictions that may do harm; `severity` is `high` only when a \
date is past or less than two days away, or other people are blocked.
Use the memory only; in `reason` quote the line it rests on. Do not repeat a focus as a risk."""

_FOCUS = schemas.answer(
    title=schemas.filled_text("What to do, as a short imperative."),
    reason=schemas.filled_text("Why now, with the words of the memory in double quotes."),
)

_RISK = schemas.answer(
    title=schemas.filled_text("What may go wrong, in a few words."),
    reason=schemas.filled_text("What it rests on, with the words of the memory in double quotes."),
    severity=schemas.one_of(("low", "medium", "high"), "How bad and how near."),
)

_OUTPUT = schemas.answer(
    pulse=schemas.filled_text("One to three sentences about where the work stands."),
    focus=schemas.list_of(_FOCUS, MOST_FOCUS, "What to do next, the most urgent first."),
    risks=schemas.list_of(_RISK, MOST_RISKS, "What may do harm, the worst first."),
)


def agent(interval_seconds: int) -> AgentSpec:
    """Return the Agent with this interval as its default schedule; a binding may set another."""
    return AgentSpec(
        key="operating_pulse",
        name="Operating pulse",
        description="Keeps the Today view fresh: where the work stands, what to do next, what is at risk.",
        instructions=prompts.instructions(_ROLE, _TASK),
        model=ModelSettings(tier=ModelTier.FAST, max_output_tokens=2_000),
        memory=(MemoryOwner.USER, MemoryOwner.PROJECT),
        output_schema=_OUTPUT,
        schedule_trigger=ScheduleTrigger(
            schedule=IntervalSchedule(every_seconds=interval_seconds),
            target=TargetRule(type="daily_session", id="{projectid}:{userid}:{data.date}"),
        ),
        priority_level=Lane.LOW,
    )
