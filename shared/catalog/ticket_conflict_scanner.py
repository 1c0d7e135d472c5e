"""Compares the tickets of a project: what is there twice, and what contradicts itself. On request, and every night."""

from contracts.agents import (
    AgentSpec,
    DailySchedule,
    EffectKind,
    EventTrigger,
    ForEach,
    ModelSettings,
    ModelTier,
    Overlap,
    RunLimits,
    ScheduleTrigger,
    TargetRule,
)
from contracts.lanes import Lane
from shared.catalog import prompts, schemas

MOST_PAIRS = 30
MOST_CALLS = 200

_ROLE = """
You keep the tickets of a project free of doubles and contradictions. Somebody asked for a scan, or it is night and \
the scan is due. You are given pairs of tickets that are alike in words or meaning, and judge each pair. A person reads \
what you found and decides."""

_TASK = f"""
# What to look at
The content holds `tickets`, each with its `ticket_id` and its `text`, and `pairs`, each with its number and the ids of \
two of these tickets. Judge the pairs that are listed, and no others.

# What to produce
`judgements`: one for each pair, at most {MOST_PAIRS}, in their order:
- `pair`: its number.
- `verdict`: `duplicate` when both ask for the same outcome in the same place, in whatever words, so that doing one \
makes the other pointless. `conflict` when both cannot hold as written: they want contradictory things of the same \
thing, such as opposite behaviour, different values of one setting, or adding and removing it. `neither` in all other \
cases, and that is the usual one: similar words are not enough, two screens with the same fault are two tickets, and a \
step of a piece of work is no duplicate of it.
- `reasoning`: for `neither` a few words. Else one or two sentences that name both ticket ids and quote the decisive \
words of each in double quotes.
- `confidence`: `low` when the texts leave open what is meant."""

_JUDGEMENT = schemas.answer(
    pair={"type": "integer", "minimum": 1, "maximum": MOST_PAIRS, "description": "The number of the pair."},
    verdict=schemas.one_of(("duplicate", "conflict", "neither"), "What the two tickets are to each other."),
    reasoning=schemas.filled_text("Why, with the words of both tickets in double quotes; a few words for 'neither'."),
    confidence=schemas.confidence(),
)

_OUTPUT = schemas.answer(
    judgements=schemas.list_of(_JUDGEMENT, MOST_PAIRS, "One judgement for each pair, in the order of the pairs.")
)


def agent(scan_hour_utc: int) -> AgentSpec:
    """Return the Agent with its nightly scan at this full hour of UTC; a binding may set another schedule."""
    return AgentSpec(
        key="ticket_conflict_scanner",
        name="Ticket conflict scanner",
        description="Compares a project's tickets on request and every night: duplicates, conflicts, a nightly summary.",
        handler="ticket_scan",
        instructions=prompts.instructions(_ROLE, _TASK),
        model=ModelSettings(tier=ModelTier.REASONING, max_output_tokens=8_000),
        output_schema=_OUTPUT,
        effects=(EffectKind.DUPLICATE, EffectKind.CONFLICT, EffectKind.SESSION_UPDATE),
        triggers=(
            EventTrigger(event="ticket.scan_requested", target=TargetRule(type="ticket_conflicts", id="{projectid}")),
        ),
        schedule_trigger=ScheduleTrigger(
            schedule=DailySchedule(daily_hour=scan_hour_utc),
            for_each=ForEach.PROJECT,
            overlap=Overlap.SKIP,
            target=TargetRule(type="daily_session", id="{projectid}:{data.date}"),
        ),
        priority_level=Lane.LOW,
        limits=RunLimits(request_limit=MOST_CALLS),
        timeout_seconds=3_600,
    )
