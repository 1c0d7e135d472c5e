"""What holds of a memory block and its proposals, whoever did what at once."""

from collections.abc import Sequence

from shared.store.memory import MemoryBlock
from shared.store.mongo import Document
from tests.conformance.memory_life.moves import FIELD, Desk


async def check(desk: Desk) -> None:
    """Check the block, every version of it, and every proposal for it."""
    database, block = desk.mongo.database, await desk.now()
    versions = await database["memory_versions"].find({"block_id": block.id}).sort("version").to_list(None)
    proposals = await database["proposals"].find({"organisation": desk.organisation}).to_list(None)
    by_id = {each["_id"]: each for each in proposals}

    history_is_complete(block, versions)
    every_change_is_made_once(versions, proposals)
    for before, version in zip([EMPTY, *versions], versions, strict=False):
        nothing_is_lost(before, version, versions, by_id)
    written_by_hand = {each["version"]: each["fields"] for each in versions if each["action"] == "edited"}
    assert written_by_hand == {number: fields for number, (_, fields) in desk.written.items()}
    assert all(base == number - 1 for number, (base, _) in desk.written.items()), "written over what was not seen"


EMPTY: Document = {"version": 0, "fields": {}}


def history_is_complete(block: MemoryBlock, versions: Sequence[Document]) -> None:
    """Every version is there, and the block is the last of them."""
    assert [each["version"] for each in versions] == list(range(1, block.version + 1))
    assert block.fields == (versions[-1]["fields"] if versions else {})


def every_change_is_made_once(versions: Sequence[Document], proposals: Sequence[Document]) -> None:
    """A proposal that is approved made one version, one that is undone another, and no other proposal made any."""
    applied = [(each["author"]["proposal_id"], each["version"]) for each in versions if each["action"] == "approved"]
    undone = [(each["undone_proposal_id"], each["version"]) for each in versions if each["action"] == "undone"]
    approved = [each for each in proposals if each["status"] == "approved"]
    assert sorted(applied) == sorted((each["_id"], each["applied_version"]) for each in approved)
    assert sorted(undone) == sorted((each["_id"], each["undone_version"]) for each in approved if each.get("undone_at"))
    assert all(each["applied_version"] is None for each in proposals if each["status"] != "approved")


def nothing_is_lost(
    before: Document, version: Document, versions: Sequence[Document], by_id: dict[str, Document]
) -> None:
    """Each version has the words of the one before, without those its change removed and with those it added."""
    match version["action"]:
        case "approved":
            proposal = by_id[version["author"]["proposal_id"]]
            change = proposal["change"]
            seen = "" if change["operation"] == "append" else change["current_value"]
            _has_changed(before, version, seen, proposal["applied_value"])
            if change["operation"] != "append" and _text(before) == seen:
                assert _text(version) == proposal["applied_value"]
        case "undone":
            number = by_id[version["undone_proposal_id"]]["applied_version"]
            made, had = _text(versions[number - 1]), _text(versions[number - 2]) if number > 1 else ""
            _has_changed(before, version, made, had)
            if _text(before) == made:
                assert _text(version) == had
        case "restored":
            assert version["fields"] == versions[version["restored_version"] - 1]["fields"]


def _has_changed(before: Document, version: Document, old: str, new: str) -> None:
    had, has, removed, added = (set(each.split()) for each in (_text(before), _text(version), old, new))
    assert has == (had - (removed - added)) | (added - removed)


def _text(version: Document) -> str:
    return str(version["fields"].get(FIELD, ""))
