"""The tool `read_memory`: what is remembered of the user and the project of the run."""

from collections.abc import Mapping
from typing import Any

from contracts.agents import MemoryOwner
from services.runner.tools.tool import Scope, Stores, Tool
from shared.domain.memory import Owner
from shared.llm.port import ToolSpec


async def _read_memory(stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    ids = {MemoryOwner.USER: scope.user, MemoryOwner.PROJECT: scope.project}
    owners = [Owner(type_, id_) for type_, id_ in ids.items() if id_ is not None]
    blocks = await stores.memory.of_owners(scope.organisation, owners, arguments["label"])
    return [
        {"owner": block.owner.type.value, "label": block.label, "version": block.version, "fields": block.fields}
        for block in blocks
    ]


TOOL = Tool(
    ToolSpec(
        name="read_memory",
        description="Reads the memory blocks of the user and the project that this is about.",
        parameters={
            "type": "object",
            "properties": {
                "label": {
                    "type": ["string", "null"],
                    "description": "Only the blocks with this label, such as 'preferences'; null for all.",
                }
            },
            "required": ["label"],
            "additionalProperties": False,
        },
    ),
    _read_memory,
)
