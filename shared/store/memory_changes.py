"""What approving a memory diff writes into its block, and what undoing it takes back."""

from dataclasses import dataclass

from contracts.agents import MemoryOwner
from shared.domain.memory import Action, Fits, Operation, Owner, Stale, fit, with_text
from shared.domain.rebase import rebase
from shared.errors import Conflict
from shared.store.deciding import Deciding
from shared.store.memory import Author, Cause, MemoryBlock, MemoryStore
from shared.store.memory_history import version_within
from shared.store.mongo import Document
from shared.store.transaction import Transaction


class ProposalStale(Conflict):
    """Somebody changed the same place of the text after the Agent had read it."""

    code = "proposal_stale"


class UndoConflict(Conflict):
    """Later changes of the text are in the way of taking this one back."""

    code = "undo_conflict"


@dataclass(frozen=True, slots=True)
class Edit:
    """The text that a person approves instead of the proposed one.

    `base_version` is the version of the block that the person had before him; None is that of the proposal.
    """

    value: str
    base_version: int | None = None


class MemoryChanges:
    """Writes versions of blocks for proposals, in the transactions in which these are decided."""

    def __init__(self, memory: MemoryStore) -> None:
        self._memory = memory

    def apply(self, within: Transaction, proposal: Document, deciding: Deciding, edit: Edit | None) -> Document:
        """Write the block's next version; return the receipt. Raises ProposalStale."""
        change, field = proposal["change"], proposal["change"]["field"]
        value = change["proposed_value"] if edit is None else edit.value
        block = self._block(within, proposal)
        base = _Base(proposal["base_version"] or 0, change["current_value"])
        if edit is not None and edit.base_version is not None:
            seen = version_within(within, block.id, edit.base_version)
            base = _Base(edit.base_version, seen["fields"].get(field, ""))
        current = block.fields.get(field, "")
        match fit(Operation(change["operation"]), base.text, value, current):
            case Stale():
                raise _stale(block, field, base, current, value)
            case Fits(text, is_rebased):
                author = Author(deciding.user, proposal["agent_key"], proposal["run_id"], proposal["_id"])
                cause = Cause(Action.APPROVED, deciding.reason)
                fields = with_text(block.fields, field, text)
                version = self._memory.write(within, block, fields, author, deciding.at, cause)
        return {
            "applied_version": version,
            "applied_at": deciding.at,
            "applied_by": deciding.user,
            "applied_value": value,
            "edited_by": None if edit is None else deciding.user,
            "rebased_from": base.version if is_rebased else None,
        }

    def take_back(self, within: Transaction, proposal: Document, deciding: Deciding) -> Document:
        """Write a version without what the proposal had changed; return the receipt. Raises UndoConflict."""
        block, field = self._block(within, proposal), proposal["change"]["field"]
        applied = proposal["applied_version"]
        before, after = [
            version_within(within, block.id, number)["fields"].get(field, "") for number in (applied - 1, applied)
        ]
        current = block.fields.get(field, "")
        text = rebase(after, current, before)
        if text is None:
            raise UndoConflict(
                f"Field '{field}' of block '{block.label}' was changed in the same place after version {applied}"
                f" (now {block.version}). Compare the three texts, then edit the block yourself.",
                base=after,
                current=current,
                proposed=before,
                version=block.version,
            )
        cause = Cause(Action.UNDONE, deciding.reason, undone_proposal_id=proposal["_id"])
        fields = with_text(block.fields, field, text)
        version = self._memory.write(within, block, fields, Author(deciding.user), deciding.at, cause)
        return {
            "undone_at": deciding.at,
            "undone_by": deciding.user,
            "undone_reason": deciding.reason,
            "undone_version": version,
        }

    def _block(self, within: Transaction, proposal: Document) -> MemoryBlock:
        change = proposal["change"]
        owner = Owner(MemoryOwner(change["owner"]["type"]), change["owner"]["id"])
        return self._memory.block(within, proposal["organisation"], owner, change["block_label"])


@dataclass(frozen=True, slots=True)
class _Base:
    version: int
    text: str


def _stale(block: MemoryBlock, field: str, base: _Base, current: str, proposed: str) -> ProposalStale:
    return ProposalStale(
        f"Field '{field}' of block '{block.label}' was changed in the same place after it was read"
        f" (version {base.version}, now {block.version}). Compare the three texts, then reject this proposal, or approve"
        " it with a 'proposed_value' of yours and this version as 'base_version'.",
        base=base.text,
        current=current,
        proposed=proposed,
        version=block.version,
    )
