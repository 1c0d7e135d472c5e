"""What a person sees of a proposal that has gone stale: it is made again on the newer text, and can be taken back."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from infra.demo.client import Client, GatewayRefused, Json
from infra.demo.script import Edit
from infra.demo.view import plain_table


async def rebased_and_undone(person: Client, edit: Edit) -> Table:
    """Edit a field while a proposal for it waits, approve that, undo it; return how the field went.

    Raises GatewayRefused, also when there is no such proposal or it was not rebased.
    """
    proposal = await person.waiting_for(edit.block_label, edit.field)
    if proposal is None:
        raise GatewayRefused(f"nothing is proposed for {edit.block_label}.{edit.field}, so nothing could go stale")
    seen = await person.block(proposal["owner"], edit.block_label)
    edited = await person.edit(seen, edit.field, edit.text)
    approved = await person.approve(proposal["id"])
    if not approved["rebased"]:
        raise GatewayRefused(f"{approved['id']} was approved on version {edited['version']} without being rebased")
    merged = await person.block(proposal["owner"], edit.block_label)
    await person.undo(proposal["id"])
    undone = await person.block(proposal["owner"], edit.block_label)
    made = f"{proposal['agent_key']} had seen"
    return _versions(edit, [(made, seen), ("edited", edited), ("approved, rebased", merged), ("undone", undone)])


def _versions(edit: Edit, versions: Sequence[tuple[str, Json]]) -> Table:
    table = plain_table(f"{edit.block_label}.{edit.field}: edited while a proposal waited")
    table.add_column("version", width=7, justify="right")
    table.add_column("what", width=29)
    table.add_column("text", ratio=1)
    for what, block in versions:
        table.add_row(str(block["version"]), Text(what), Text(block["fields"].get(edit.field, "")))
    return table
