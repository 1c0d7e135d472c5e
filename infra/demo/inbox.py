"""One person's inbox: what it shows, which proposal the demo approves, and the memory block that comes of it."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from infra.demo.client import Json
from infra.demo.script import Edit, Person
from infra.demo.view import plain_table

MEMORY_DIFF, TICKET_CHANGE = "memory_diff", "ticket_change"
MOST_SHOWN = 12
CONFIDENCE_STYLES = {"high": "green", "medium": "yellow", "low": "dim"}


def owner_of_inbox(wanted: Person | None, by_person: Mapping[Person, Sequence[Json]]) -> Person | None:
    """Return the person to show: the wanted one, else who has most proposals; None when nobody has any."""
    if wanted is not None:
        return wanted
    return max(by_person, key=lambda person: len(by_person[person]), default=None)


def to_approve(proposals: Sequence[Json], kept: Edit | None = None) -> Json | None:
    """Return a pending memory diff, rather about the person and rather a sure one; None when there is none.

    What is `kept` for an edit is left alone.
    """
    diffs = [each for each in proposals if each["kind"] == MEMORY_DIFF and each["status"] == "pending"]
    others = [each for each in diffs if kept is None or each["block_label"] != kept.block_label]
    return min(others, key=_reluctance, default=None)


def inbox_table(person: Person, proposals: Sequence[Json]) -> Table:
    """Return the person's proposals, newest first."""
    title = f"Inbox of {person.user}, {person.organisation}: {len(proposals)} proposals"
    table = plain_table(title)
    table.add_column("for", width=28)
    table.add_column("proposal", ratio=1)
    table.add_column("confidence", width=10)
    for proposal in proposals[:MOST_SHOWN]:
        confidence = proposal["confidence"]
        table.add_row(
            Text(place(proposal)), Text(_content(proposal)), Text(confidence, CONFIDENCE_STYLES.get(confidence, ""))
        )
    if len(proposals) > MOST_SHOWN:
        table.add_row("", Text(f"and {len(proposals) - MOST_SHOWN} older ones", "dim"), "")
    return table


def place(proposal: Json) -> str:
    """Return what the proposal changes."""
    if proposal["kind"] == MEMORY_DIFF:
        return f"{proposal['owner']['type']} memory\n{proposal['block_label']}.{proposal['field']}"
    if proposal["kind"] == TICKET_CHANGE:
        change = proposal["change"]
        return f"{change['action']} ticket\n{change['ticket_id'] or '(new)'}"
    kind: str = proposal["kind"].replace("_", " ")
    about = ", ".join(proposal["ticket_ids"])
    return f"{kind}\n{about}" if about else kind


def block_table(block: Json, proposal: Json) -> Table:
    """Return a memory block as it is after the proposal was approved."""
    owner = f"{block['owner']['type']} {block['owner']['id']}"
    table = plain_table(f"Memory block '{block['label']}' of {owner}: version {block['version']}")
    table.add_column("field", width=28)
    table.add_column("text", ratio=1)
    for name, text in block["fields"].items():
        table.add_row(Text(name, "bold green" if name == proposal["field"] else ""), Text(text))
    return table


def block_of(blocks: Sequence[Json], proposal: Json) -> Json | None:
    """Return the block that the proposal changed, when it is there in the version that the approval made."""
    wanted = (proposal["owner"], proposal["block_label"], proposal["applied_version"])
    return next((block for block in blocks if (block["owner"], block["label"], block["version"]) == wanted), None)


def _reluctance(proposal: Json) -> tuple[bool, int]:
    return proposal["owner"]["type"] != "user", ("high", "medium", "low").index(proposal["confidence"])


def _content(proposal: Json) -> str:
    text: str = proposal["title"]
    match proposal["kind"]:
        case "memory_diff":
            text = proposal["proposed_value"]
        case "ticket_change":
            text = proposal["change"]["change"]
    return text
