"""Reads a document that changed: sums it up, lists what it refers to, and proposes what the project should remember."""

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

EVENTS = ("doc.created", "doc.updated", "doc.archived", "doc.extract_requested")
MOST_REFERENCES = 30
MOST_MEMORY_DIFFS = 10

_ROLE = """
You look after the long-term memory of a project. A document of the project was created, changed or archived, or \
somebody asked to have it read again. You sum it up, list what it refers to, and propose what the project should \
remember."""

_TASK = f"""
# What to produce
1. `summary`: at most three sentences: what the document is for, what it settles, and what it leaves open.
2. `references`: at most {MOST_REFERENCES} tickets, documents, links, people and dates that the text names, each once, \
in the order of the text; `value` exactly as written, `context` the sentence part it stands in.
3. `memory_diffs`: at most {MOST_MEMORY_DIFFS}, all for the project: decisions, goals and dates, words with a meaning \
of their own, agreed ways of working, lasting blockers. Drafts, options and open questions are not decisions.

# By kind of event
- `doc.created`, `doc.extract_requested`: read all of `text`.
- `doc.updated`: `previous_text`, when given, is what the text replaced, perhaps in several edits. Propose only what is new or different; \
`replace` what the change made wrong.
- `doc.archived`: the document left use. Propose nothing new from it; you may `replace` a line of the memory that the \
archiving makes wrong. Without a text, say in the summary only that the document was archived."""

_REFERENCE = schemas.answer(
    kind=schemas.one_of(("ticket", "document", "link", "person", "date"), "What is referred to."),
    value=schemas.filled_text("The id, title, address, name or date exactly as written."),
    context=schemas.text("The part of the sentence it stands in."),
)

_OUTPUT = schemas.answer(
    summary=schemas.filled_text("At most three sentences about the document."),
    references=schemas.list_of(_REFERENCE, MOST_REFERENCES, "What the text refers to; empty when nothing."),
    memory_diffs=schemas.memory_diffs((MemoryOwner.PROJECT,), MOST_MEMORY_DIFFS),
)


def _trigger(event: str) -> EventTrigger:
    """Return the trigger for one kind of event; who edits is waited for, up to half a minute."""
    is_edit = event == "doc.updated"
    return EventTrigger(
        event=event,
        target=TargetRule(type="doc", id="{data.doc_id}"),
        debounce_seconds=5 if is_edit else 0,
        max_wait_seconds=30 if is_edit else None,
    )


AGENT = AgentSpec(
    key="docs_memory_reviewer",
    handler="docs",
    name="Document reviewer",
    description="Reads created, changed and archived documents: summary, references, and memory diffs for the project.",
    instructions=prompts.instructions(_ROLE, _TASK, prompts.MEMORY, prompts.EVIDENCE),
    model=ModelSettings(tier=ModelTier.REASONING, max_output_tokens=8_000),
    memory=(MemoryOwner.PROJECT,),
    output_schema=_OUTPUT,
    effects=(EffectKind.MEMORY_DIFF,),
    triggers=tuple(_trigger(event) for event in EVENTS),
    priority_level=Lane.MEDIUM,
)
