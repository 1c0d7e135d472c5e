"""The pieces that the answers of the built-in Agents are made of.

Providers compile these schemas into what a model can say at all, and accept only a part of JSON Schema for it: every
object closed, every property required, "nothing" as a null, no lengths of texts.
"""

from collections.abc import Iterable
from typing import Any

from contracts.agents import MemoryOwner

Schema = dict[str, Any]

MEMORY_LABELS: dict[str, str] = {
    "profile": "who they are: role, skills, responsibilities",
    "preferences": "what they like, want or avoid",
    "working_style": "how they work: hours, habits, rituals, ways of deciding",
    "goals": "what they are working towards, with dates",
    "blockers": "what is in the way and lasts longer than a day",
    "decisions": "what was decided, and why",
    "glossary": "what words and names mean here",
}
"""The labels of memory blocks that the built-in Agents use, and what belongs in each."""

MOST_EVIDENCE = 5

_NAME = "^[a-z][a-z0-9_]{0,63}$"
_SOMETHING = r"^\S"


def answer(**properties: Schema) -> Schema:
    """Return a closed object whose properties are all required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text(description: str) -> Schema:
    """Return a text that may be empty."""
    return {"type": "string", "description": description}


def filled_text(description: str) -> Schema:
    """Return a text that says something."""
    return {"type": "string", "pattern": _SOMETHING, "description": description}


def one_of(choices: Iterable[str], description: str) -> Schema:
    """Return a closed choice."""
    return {"type": "string", "enum": [str(choice) for choice in choices], "description": description}


def list_of(item: Schema, most: int, description: str) -> Schema:
    """Return an array that may be empty and holds at most `most` items."""
    return {"type": "array", "items": item, "maxItems": most, "description": description}


def memory_diffs(owners: Iterable[MemoryOwner], most: int) -> Schema:
    """Return the proposals that become memory diffs."""
    return list_of(_memory_diff(owners), most, "Changes to long-term memory; empty when nothing is worth remembering.")


def ticket_changes(most: int) -> Schema:
    """Return the proposals that become ticket changes."""
    return list_of(_ticket_change(), most, "Changes to tickets; empty when the text asks for none.")


def _memory_diff(owners: Iterable[MemoryOwner]) -> Schema:
    return answer(
        owner=one_of(owners, "Whose memory: 'user' for facts about the person, 'project' for facts about the work."),
        block_label={
            "type": "string",
            "pattern": _NAME,
            "description": f"The block: {', '.join(MEMORY_LABELS)}, or another label that the memory shows.",
        },
        field={
            "type": "string",
            "pattern": _NAME,
            "description": "The topic inside the block in snake_case, such as 'meetings'; reuse a field that exists.",
        },
        operation=one_of(
            ("append", "replace"),
            "'append' adds a line to the field; 'replace' gives its whole new text and needs a contradiction.",
        ),
        proposed_value=filled_text("One plain sentence to remember, or with 'replace' the field's whole new text."),
        **grounds(),
    )


def _ticket_change() -> Schema:
    return answer(
        action=one_of(("open", "update", "close"), "What should happen to the ticket."),
        ticket_id={
            "type": ["string", "null"],
            "description": "The ticket's id exactly as the content writes it; null only with 'open'.",
        },
        title=filled_text("The title of a new ticket, or what the existing one is about, in at most 80 characters."),
        change=filled_text("What to write into the ticket: the new state, its cause, who is waited for, and dates."),
        **grounds(),
    )


def grounds() -> dict[str, Schema]:
    """Return what every proposal says besides: why, how surely, and what it rests on."""
    return {
        "reasoning": filled_text("Why, with the words of the content it rests on in double quotes."),
        "confidence": confidence(),
        "evidence": list_of(_EVIDENCE, MOST_EVIDENCE, "What it rests on: at least the event or document that says it."),
    }


def confidence() -> Schema:
    """Return how sure an answer is of what it says."""
    return one_of(
        ("low", "medium", "high"),
        "'high' when it is said outright, 'medium' when it follows from what is said, 'low' when it is a guess.",
    )


_EVIDENCE = answer(
    type=one_of(("event", "document", "step"), "'step' is a tool that was called."),
    id=filled_text("The id of the event or document as the input or a tool gives it, or the name of the tool."),
    quote={"type": ["string", "null"], "description": "Its own words, exactly as written, or null."},
)
