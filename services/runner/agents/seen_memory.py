"""The memory that a run is shown, read as a step: a resumed attempt must see what the first one saw."""

from collections.abc import Mapping
from typing import Any

from contracts.agents import MemoryOwner
from services.runner.recorder import Step
from services.runner.work import Attempt
from shared.domain.effects.basis import SeenBlock
from shared.domain.memory import Owner
from shared.store.memory import MemoryStore


def owners_of(attempt: Attempt) -> dict[MemoryOwner, str | None]:
    """Return whose memory `user` and `project` mean in this run."""
    return {MemoryOwner.USER: attempt.run["user"], MemoryOwner.PROJECT: attempt.run["project"]}


async def read_memory(
    memory: MemoryStore, attempt: Attempt, owners: Mapping[MemoryOwner, str | None]
) -> list[SeenBlock]:
    """Return the blocks that the Agent may see; one that may see none reads none."""
    if not attempt.spec.memory:
        return []
    wanted = [Owner(owner, id_) for owner in attempt.spec.memory if (id_ := owners[owner]) is not None]

    async def read(_: Step) -> dict[str, Any]:
        blocks = await memory.of_owners(attempt.run["organisation"], wanted)
        return {
            "blocks": [
                {
                    "owner": block.owner.type.value,
                    "owner_id": block.owner.id,
                    "label": block.label,
                    "version": block.version,
                    "fields": block.fields,
                }
                for block in blocks
            ]
        }

    request = {"owners": [[owner.type.value, owner.id] for owner in wanted]}
    result = await attempt.steps.step("memory_read", "memory", request, read)
    return [SeenBlock(**{**block, "owner": MemoryOwner(block["owner"])}) for block in result["blocks"]]
