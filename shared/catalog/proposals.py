"""The pieces of answers that become proposals other than of memory and tickets."""

from shared.catalog import schemas
from shared.catalog.schemas import Schema

_LONGEST_LISTS = {"tickets": 20, "lines": 12, "items": 10}


def roadmap_items(most: int) -> Schema:
    """Return the proposals for a roadmap."""
    item = schemas.answer(
        title=schemas.filled_text("What this stage is about, in a few words."),
        description=schemas.filled_text("What is true at its end that is not true now."),
        when=schemas.filled_text("Its weeks within the horizon, such as 'weeks 1 to 4'."),
        epic={"type": ["string", "null"], "description": "The title of the epic that it serves, or null."},
        **schemas.grounds(),
    )
    return schemas.list_of(item, most, "The stages in their order; empty when there is no goal.")


def epics(most: int) -> Schema:
    """Return the proposals for epics."""
    epic = schemas.answer(
        title=schemas.filled_text("The epic in at most 80 characters."),
        goal=schemas.filled_text("The goal it serves, in the words of the content or the memory."),
        ticket_ids=_texts("Tickets that belong to it already, ids as written; empty when none do.", "tickets"),
        **schemas.grounds(),
    )
    return schemas.list_of(epic, most, "The work that the goals need; empty when there is no goal.")


def snapshot_drafts(most_sections: int, most_questions: int) -> Schema:
    """Return the one draft of a snapshot; none where there are no facts at all."""
    section = schemas.answer(
        heading=schemas.filled_text("One or two words."),
        lines={**_texts("What there is to say, the most important first.", "lines"), "minItems": 1},
    )
    draft = schemas.answer(
        title=schemas.filled_text("The title of the snapshot."),
        summary=schemas.filled_text("Two to four sentences about the period."),
        sections={**schemas.list_of(section, most_sections, "The body of the draft."), "minItems": 1},
        questions=schemas.list_of(
            schemas.filled_text("One question to the reviewer."),
            most_questions,
            "What has to be settled before it is sent; empty when nothing.",
        ),
        **schemas.grounds(),
    )
    return schemas.list_of(draft, 1, "The draft; empty only when there are no facts at all.")


def session_updates(description: str) -> Schema:
    """Return the one word for the daily session that the run is about."""
    update = schemas.answer(
        session_id={"type": "null", "description": "Null: the daily session."},
        text=schemas.filled_text("What to say there, in a few sentences."),
        items=_texts("Single points, one short line each; empty when there are none.", "items"),
        **schemas.grounds(),
    )
    return schemas.list_of(update, 1, description)


def _texts(description: str, what: str) -> Schema:
    return schemas.list_of(schemas.filled_text("One of them."), _LONGEST_LISTS[what], description)
