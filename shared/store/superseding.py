"""Notes which memory diffs are superseded, after those of a run were stored; doing it again changes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from contracts.agents import EffectKind
from shared.domain.memory import Operation
from shared.domain.proposal import ProposalStatus
from shared.domain.superseding import Rival, superseded
from shared.store.mongo import Collection, Document, storage_errors

INDEXES = [
    IndexModel(
        [
            ("organisation", ASCENDING),
            ("agent_key", ASCENDING),
            ("change.owner.id", ASCENDING),
            ("change.block_label", ASCENDING),
            ("change.field", ASCENDING),
            ("created_at", DESCENDING),
        ],
        name="of_a_field",
        partialFilterExpression={"kind": EffectKind.MEMORY_DIFF.value},
    )
]

_FIELD = ("organisation", "agent_key", "change.owner.type", "change.owner.id", "change.block_label", "change.field")
_NEEDED = dict.fromkeys((*_FIELD, "run_id", "created_at", "change.operation", "change.proposed_value"), 1)


class Superseding:
    """Compares stored proposals with the older and newer ones of the same Agent for the same field.

    They are stored first and compared then: of two that are stored at once at least one sees the other.
    """

    def __init__(self, proposals: Collection) -> None:
        self._proposals = proposals

    async def settle(self, proposals: Sequence[Document]) -> None:
        """Supersede what these take the place of, and those of them whose place newer ones have taken."""
        diffs = [each for each in proposals if each["kind"] == EffectKind.MEMORY_DIFF]
        if not diffs:
            return
        with storage_errors():
            rivals = await self._proposals.find({"$or": [_rivals(each) for each in diffs]}, _NEEDED).to_list(None)
            changes = [_change(id_, by) for each in _by_field(rivals) for id_, by in superseded(each).items()]
            if changes:
                await self._proposals.bulk_write(changes, ordered=False)


def _rivals(diff: Document) -> Document:
    """Return the query for what a proposal may supersede, and for what may supersede it."""
    change = diff["change"]
    query: Document = {
        "kind": EffectKind.MEMORY_DIFF.value,
        **{name: _at(diff, name) for name in _FIELD},
        "$or": [{"created_at": {"$gte": diff["created_at"]}}, {"status": ProposalStatus.PENDING.value}],
    }
    if change["operation"] != Operation.APPEND:
        return query
    same = {"change.proposed_value": change["proposed_value"]}
    return {"$and": [query, {"$or": [same, {"change.operation": {"$ne": Operation.APPEND.value}}]}]}


def _by_field(documents: Iterable[Document]) -> Iterable[Sequence[Rival]]:
    found: dict[tuple[str, ...], list[Rival]] = defaultdict(list)
    for each in documents:
        change = each["change"]
        rival = Rival(
            each["_id"], each["run_id"], each["created_at"], Operation(change["operation"]), change["proposed_value"]
        )
        found[tuple(_at(each, name) for name in _FIELD)].append(rival)
    return found.values()


def _at(document: Document, path: str) -> str:
    value = document
    for name in path.split("."):
        value = value[name]
    return str(value)


def _change(id_: str, by: str) -> UpdateOne:
    """Return the write that a decision which came first is safe from."""
    became = [{"$set": {"status": ProposalStatus.SUPERSEDED.value, "superseded_by": by, "decided_at": "$$NOW"}}]
    return UpdateOne({"_id": id_, "status": ProposalStatus.PENDING.value}, became)
