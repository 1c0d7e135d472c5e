"""An answer that satisfies a schema, or is mended once by being shown what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from services.runner.agents.conversation import Conversation
from services.runner.agents.prompt import render_repair
from shared.errors import Permanent

_MOST_FAULTS = 10


class OutputInvalid(Permanent):
    """The model's answer did not satisfy the Agent's schema, and mending it once did not help."""

    code = "output_invalid"


async def answer_to(conversation: Conversation, text: str) -> dict[str, Any]:
    """Return what the model answers, as an object that satisfies the conversation's schema, or raise OutputInvalid."""
    answer = await conversation.answer_to(text)
    parsed, faults = _check(answer, conversation.output_schema)
    if faults:
        mended = await conversation.answer_to(render_repair(answer, faults))
        parsed, faults = _check(mended, conversation.output_schema)
    if faults:
        raise OutputInvalid(
            f"The answer of model '{conversation.model}' does not satisfy the output schema of"
            f" '{conversation.attempt.spec.key}', even after one correction: {'; '.join(faults)}."
        )
    return parsed


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
