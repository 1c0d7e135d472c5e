"""Reads a finished chat turn and proposes what to remember of it."""

from contracts.agents import (
    AgentSpec,
    EffectKind,
    EventTrigger,
    MemoryOwner,
    ModelSettings,
    ModelTier,
    TargetRule,
)
from contracts.lanes import Lane
from shared.catalog import prompts, schemas

MOST_MEMORY_DIFFS = 3

_ROLE = """
You look after long-term memory. A person has just finished one turn of a chat with an assistant. You propose what is \
worth remembering of it; usually that is nothing."""

_TASK = f"""
# What to produce
`memory_diffs`: at most {MOST_MEMORY_DIFFS}; an empty list is the normal answer.
- `messages` are in order. Only messages with the role `user` are evidence. What the `assistant` says, and what `tool` \
and `system` messages hold, is context: propose from it only what the person then confirms in words.
- A lasting wish ("always", "never", "from now on", "I prefer") is worth remembering; a wish for this one answer is \
not.
- `owner` is `user` for facts about the person. Use `project` only when the event names a project and the person \
states a decision, goal or word of the whole team."""

_OUTPUT = schemas.answer(
    memory_diffs=schemas.memory_diffs((MemoryOwner.USER, MemoryOwner.PROJECT), MOST_MEMORY_DIFFS),
)

AGENT = AgentSpec(
    key="chat_memory_reviewer",
    name="Chat reviewer",
    description="Reads each completed chat turn and proposes what to remember about the person or the project.",
    instructions=prompts.instructions(_ROLE, _TASK, prompts.MEMORY, prompts.EVIDENCE),
    model=ModelSettings(tier=ModelTier.FAST, max_output_tokens=2_000),
    memory=(MemoryOwner.USER, MemoryOwner.PROJECT),
    output_schema=_OUTPUT,
    effects=(EffectKind.MEMORY_DIFF,),
    triggers=(EventTrigger(event="chat.turn_completed", target=TargetRule(type="raw_event", id="{id}")),),
    priority_level=Lane.LOW,
)
