"""The generic Agent: instructions, an event and memory in; an answer that satisfies the version's schema out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from contracts.agents import MemoryOwner, ModelTier
from services.runner.agents.prompt import render_input, render_repair
from services.runner.work import Attempt
from shared.domain.effect import SeenBlock, effects_of
from shared.domain.memory import Owner
from shared.domain.run import Done, Usage
from shared.errors import Permanent
from shared.llm.port import Message, ModelClient, ModelRequest, Role
from shared.store.memory import MemoryStore

_MOST_FAULTS = 10


class OutputInvalid(Permanent):
    """The model's answer did not satisfy the Agent's schema, and mending it once did not help."""

    code = "output_invalid"


@dataclass(frozen=True, slots=True)
class LlmAgent:
    """Runs any Agent version whose handler is `llm`: one model call, and one more to mend an invalid answer."""

    model: ModelClient
    models: Mapping[ModelTier, str]
    memory: MemoryStore
    timeout_seconds: float

    async def __call__(self, attempt: Attempt) -> Done:
        """Answer the event, or raise OutputInvalid or an error of the model."""
        owners = {MemoryOwner.USER: attempt.run["user"], MemoryOwner.PROJECT: attempt.run["project"]}
        seen = await self._read_memory(attempt, owners)
        asked = render_input(attempt.event, attempt.spec.memory, seen)
        answer = await self._ask(attempt, (Message(Role.USER, asked),))
        parsed, faults = _check(answer, attempt.spec.output_schema)
        if faults:
            mended = await self._ask(
                attempt,
                (
                    Message(Role.USER, asked),
                    Message(Role.ASSISTANT, answer),
                    Message(Role.USER, render_repair(answer, faults)),
                ),
            )
            parsed, faults = _check(mended, attempt.spec.output_schema)
        if faults:
            raise OutputInvalid(
                f"The answer of model '{self.models[attempt.spec.model.tier]}' does not satisfy the output schema"
                f" of '{attempt.spec.key}', even after one correction: {'; '.join(faults)}."
            )
        return Done(parsed, effects_of(parsed, attempt.spec.effects, owners, seen))

    async def _read_memory(self, attempt: Attempt, owners: Mapping[MemoryOwner, str | None]) -> list[SeenBlock]:
        """Read the memory that the Agent may see, as a step: a resumed attempt must see what the first one saw."""
        if not attempt.spec.memory:
            return []
        wanted = [Owner(owner, id_) for owner in attempt.spec.memory if (id_ := owners[owner]) is not None]

        async def read() -> dict[str, Any]:
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
        result = await attempt.steps.step("memory_read", request, read)
        return [SeenBlock(**{**block, "owner": MemoryOwner(block["owner"])}) for block in result["blocks"]]

    async def _ask(self, attempt: Attempt, messages: tuple[Message, ...]) -> str:
        spec = attempt.spec
        request = ModelRequest(
            model=self.models[spec.model.tier],
            instructions=spec.instructions,
            input=messages,
            output_schema=spec.output_schema,
            schema_name=spec.key,
            max_output_tokens=spec.model.max_output_tokens,
            metadata={"run_id": attempt.claim.run_id, "attempt": str(attempt.claim.attempt), "agent_key": spec.key},
        )

        async def call() -> dict[str, Any]:
            response = await self.model.respond(request, self.timeout_seconds)
            return {"response_id": response.id, "text": response.text, "usage": asdict(response.usage)}

        # The attempt's number is in the metadata, and must not make an equal request look different.
        same = {"model": request.model, "instructions": request.instructions, "input": [asdict(m) for m in messages]}
        result = await attempt.steps.step("model_call", same, call)
        usage = result["usage"]
        attempt.usage = attempt.usage.plus(Usage(usage["input_tokens"], usage["output_tokens"], 1))
        return str(result["text"])


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
