"""Has a model judge the pairs of one pack, and reads what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts.agents import ModelTier
from contracts.effects import Confidence
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.prompt import render_input, render_repair
from services.runner.agents.ticket_scan.findings import Judgement, Verdict
from services.runner.agents.ticket_scan.packing import Pack
from services.runner.work import Attempt
from shared.domain.ticket import Ticket
from shared.llm.port import Message, ModelRequest, Role


class _Said(BaseModel):
    pair: int
    verdict: Verdict
    reasoning: str
    confidence: Confidence


_ANSWER = TypeAdapter(dict[str, list[Any]])
_MOST_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks about one pack at a time; the attempt's version says how, and with which model."""

    model_calls: ModelCalls
    models: Mapping[ModelTier, str]

    async def ask(self, attempt: Attempt, pack: Pack, tickets: Mapping[str, Ticket]) -> tuple[str, list[Judgement]]:
        """Return the answer as it came, and what could be read of it."""
        answer = (await self.model_calls.make(attempt, self._request(attempt, pack, tickets))).text
        return answer, read_judgements(answer, pack)[0]

    async def ask_again(
        self, attempt: Attempt, pack: Pack, tickets: Mapping[str, Ticket], answer: str
    ) -> list[Judgement]:
        """Have an answer that lacks something corrected, once; return what can be read then."""
        request = self._request(attempt, pack, tickets)
        _, faults = read_judgements(answer, pack)
        turns = (Message(Role.ASSISTANT, answer), Message(Role.USER, render_repair(answer, faults)))
        mended = await self.model_calls.make(attempt, replace(request, input=(*request.input, *turns)))
        return read_judgements(mended.text, pack)[0]

    def _request(self, attempt: Attempt, pack: Pack, tickets: Mapping[str, Ticket]) -> ModelRequest:
        spec, claim = attempt.spec, attempt.claim
        shown = render_input({**attempt.event, "data": shown_pack(pack, tickets)}, (), (), spec.environment)
        return ModelRequest(
            model=self.models[spec.model.tier],
            instructions=spec.instructions,
            input=(Message(Role.USER, shown),),
            output_schema=spec.output_schema,
            schema_name=spec.key,
            max_output_tokens=spec.model.max_output_tokens,
            metadata={"run_id": claim.run_id, "attempt": str(claim.attempt), "agent_key": spec.key},
        )


def shown_pack(pack: Pack, tickets: Mapping[str, Ticket]) -> dict[str, Any]:
    """Return what the model is shown: each ticket once, and the pairs, numbered from 1."""
    return {
        "tickets": [{"ticket_id": each, "text": tickets[each].text} for each in sorted(pack.tickets)],
        "pairs": [{"pair": number, "tickets": list(pair)} for number, pair in enumerate(pack.pairs, start=1)],
    }


def read_judgements(answer: str, pack: Pack) -> tuple[list[Judgement], list[str]]:
    """Return the first judgement of each pair, and what is wrong with the answer; what is right counts in any case."""
    try:
        said = _ANSWER.validate_python(orjson.loads(answer)).get("judgements", [])
    except (orjson.JSONDecodeError, ValidationError):
        return [], ["it is not a JSON object with the list 'judgements'"]
    found: dict[int, Judgement] = {}
    faults = [fault for number, each in enumerate(said) if (fault := _read(number, each, pack, found))]
    missing = [str(number) for number in range(1, len(pack.pairs) + 1) if number not in found]
    if missing:
        faults.append(f"judgements lacks the pairs {', '.join(missing)}")
    return [found[number] for number in sorted(found)], faults[-_MOST_FAULTS:]


def _read(number: int, said: Any, pack: Pack, found: dict[int, Judgement]) -> str | None:
    try:
        read = _Said.model_validate(said)
    except ValidationError as error:
        return f"judgements.{number}: {error.errors()[0]['msg']}"
    if not 1 <= read.pair <= len(pack.pairs):
        return f"judgements.{number}: there is no pair {read.pair}"
    found.setdefault(read.pair, Judgement(pack.pairs[read.pair - 1], read.verdict, read.reasoning, read.confidence))
    return None


def unjudged(pack: Pack, judgements: Sequence[Judgement]) -> int:
    """Return how many pairs of the pack the model said nothing of."""
    return len(pack.pairs) - len(judgements)
