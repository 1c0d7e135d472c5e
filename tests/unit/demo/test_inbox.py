"""Whose inbox is shown, what is approved, and how both look."""

from rich.console import Console, RenderableType

from infra.demo.client import Json
from infra.demo.inbox import MOST_SHOWN, block_of, block_table, inbox_table, owner_of_inbox, to_approve
from infra.demo.script import Person
from infra.demo.view import WIDTH
from tests.unit.demo.samples import duplicate, memory_diff, ticket_change

ADA, BOB = Person("acme", "ada"), Person("acme", "bob")


def _shown(table: RenderableType) -> str:
    console = Console(width=WIDTH, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _id(proposal: Json | None) -> str | None:
    return None if proposal is None else str(proposal["id"])


def test_the_wanted_person_is_shown_else_who_has_most() -> None:
    by_person = {ADA: [memory_diff("1")], BOB: [memory_diff("2"), memory_diff("3")]}

    assert owner_of_inbox(ADA, by_person) == ADA
    assert owner_of_inbox(None, by_person) == BOB
    assert owner_of_inbox(None, {}) is None


def test_a_sure_memory_diff_about_the_person_is_approved_first() -> None:
    proposals = [
        ticket_change("1"),
        memory_diff("2", owner="project"),
        memory_diff("3", confidence="low"),
        memory_diff("4", confidence="medium"),
        memory_diff("5", status="superseded"),
    ]

    assert _id(to_approve(proposals)) == "4"
    assert _id(to_approve(proposals[:2])) == "2"


def test_without_a_pending_memory_diff_nothing_is_approved() -> None:
    assert to_approve([ticket_change("1"), memory_diff("2", status="rejected")]) is None


def test_the_inbox_shows_what_each_proposal_changes() -> None:
    shown = _shown(inbox_table(ADA, [memory_diff("1"), ticket_change("2"), duplicate("3")]))

    assert "Inbox of ada, acme: 3 proposals" in shown
    assert "preferences.reviews" in shown
    assert "Prefers reviews [before] lunch." in shown
    assert "APO-1" in shown
    assert "APO-1, APO-2" in shown
    assert "APO-1 and APO-2 are the same" in shown
    assert all(len(row) <= WIDTH for row in shown.splitlines())


def test_a_full_inbox_is_cut() -> None:
    shown = _shown(inbox_table(ADA, [memory_diff(str(number)) for number in range(MOST_SHOWN + 3)]))

    assert "and 3 older ones" in shown


def test_the_block_is_the_one_of_the_approved_version() -> None:
    approved = memory_diff("1") | {"applied_version": 2}
    block = {"owner": approved["owner"], "label": "preferences", "version": 2, "fields": {"reviews": "Before lunch."}}

    assert block_of([block | {"label": "goals"}, block], approved) == block
    assert block_of([block | {"version": 1}], approved) is None
    assert "Memory block 'preferences' of user ada: version 2" in _shown(block_table(block, approved))
