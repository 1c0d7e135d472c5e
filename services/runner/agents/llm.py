"""The generic Agent: instructions, an event and memory in; an answer that satisfies the version's schema out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from contracts.agents import MemoryOwner, ModelTier
from services.runner.agents.conversation import Conversation
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.prompt import render_input, render_repair
from services.runner.agents.tool_calls import ToolCalls
from services.runner.recorder import Step
from services.runner.work import Attempt
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis, SeenBlock, Shown
from shared.domain.memory import Owner
from shared.domain.run import Done
from shared.errors import Permanent
from shared.store.memory import MemoryStore

_MOST_FAULTS = 10


class OutputInvalid(Permanent):
    """The model's answer did not satisfy the Agent's schema, and mending it once did not help."""

    code = "output_invalid"


@dataclass(frozen=True, slots=True)
class LlmAgent:
    """Runs any Agent version whose handler is `llm`: an answer, with tools on the way, and one more to mend it."""

    model_calls: ModelCalls
    tool_calls: ToolCalls
    models: Mapping[ModelTier, str]
    memory: MemoryStore

    async def __call__(self, attempt: Attempt) -> Done:
        """Answer the event, or raise OutputInvalid, a limit that was reached, or an error of the model or of a tool."""
        owners = {MemoryOwner.USER: attempt.run["user"], MemoryOwner.PROJECT: attempt.run["project"]}
        seen = await self._read_memory(attempt, owners)
        model = self.models[attempt.spec.model.tier]
        conversation = Conversation(attempt, model, self.model_calls, self.tool_calls)
        spec = attempt.spec
        told = render_input(attempt.event, spec.memory, seen, spec.environment)
        answer = await conversation.answer_to(told)
        parsed, faults = _check(answer, attempt.spec.output_schema)
        if faults:
            mended = await conversation.answer_to(render_repair(answer, faults))
            parsed, faults = _check(mended, attempt.spec.output_schema)
        if faults:
            raise OutputInvalid(
                f"The answer of model '{model}' does not satisfy the output schema of '{attempt.spec.key}', even after"
                f" one correction: {'; '.join(faults)}."
            )
        shown = conversation.shown(attempt.event["id"], told)
        return Done(parsed, effects_of(parsed, spec.effects, _basis(attempt, owners, seen, shown)))

    async def _read_memory(self, attempt: Attempt, owners: Mapping[MemoryOwner, str | None]) -> list[SeenBlock]:
        """Read the memory that the Agent may see, as a step: a resumed attempt must see what the first one saw."""
        if not attempt.spec.memory:
            return []
        wanted = [Owner(owner, id_) for owner in attempt.spec.memory if (id_ := owners[owner]) is not None]

        async def read(_: Step) -> dict[str, Any]:
            blocks = await self.memory.of_owners(attempt.run["organisation"], wanted)
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


def _basis(
    attempt: Attempt, owners: Mapping[MemoryOwner, str | None], seen: Sequence[SeenBlock], shown: Shown
) -> Basis:
    target = attempt.run["target"]
    return Basis(
        owners,
        tuple(seen),
        session_id=target["id"] if target["type"] == "daily_session" else None,
        proposal_schema=attempt.spec.proposal_schema,
        shown=shown,
    )


def _check(answer: str, schema: Mapping[str, Any] | None) -> tuple[dict[str, Any], Sequence[str]]:
    """Return the answer as an object, and what is wrong with it; without a schema any text is fine."""
    if schema is None:
        return {"text": answer}, ()
    try:
        parsed = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        return {}, [f"it is not JSON: {error}"]
    faults = sorted(Draft202012Validator(schema).iter_errors(parsed), key=lambda fault: list(map(str, fault.path)))
    return parsed if isinstance(parsed, dict) else {}, [
        f"{fault.json_path}: {fault.message[:300]}" for fault in faults[:_MOST_FAULTS]
    ]
