"""The generic Agent: instructions, an event and memory in; an answer that satisfies the version's schema out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.agents import MemoryOwner, ModelTier
from services.runner.agents.answering import answer_to
from services.runner.agents.continuation import Continuations
from services.runner.agents.conversation import Conversation
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.prompt import render_input
from services.runner.agents.seen_memory import owners_of, read_memory
from services.runner.agents.tool_calls import ToolCalls
from services.runner.work import Attempt
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis, SeenBlock, Shown
from shared.domain.run import Done
from shared.store.memory import MemoryStore


@dataclass(frozen=True, slots=True)
class LlmAgent:
    """Runs any Agent version whose handler is `llm`: an answer, with tools on the way, and one more to mend it."""

    model_calls: ModelCalls
    tool_calls: ToolCalls
    models: Mapping[ModelTier, str]
    memory: MemoryStore
    continuations: Continuations

    async def __call__(self, attempt: Attempt) -> Done:
        """Answer the event, or raise OutputInvalid, a limit that was reached, or an error of the model or of a tool."""
        continuation = await self.continuations.of(attempt)
        spec, owners = attempt.spec, owners_of(attempt)
        seen = await read_memory(self.memory, attempt, owners)
        model = self.models[spec.model.tier]
        conversation = Conversation(attempt, model, self.model_calls, self.tool_calls, spec.output_schema)
        content = None if continuation is None else continuation.told
        told = render_input(attempt.event, spec.memory, seen, spec.environment, content)
        answer = await answer_to(conversation, told)
        shown = conversation.shown(attempt.event["id"], told)
        effects = effects_of(answer, spec.effects, _basis(attempt, owners, seen, shown))
        if continuation is None:
            return Done(answer, effects)
        return Done(answer, (*effects, continuation.effect(len(effects), answer, model, conversation.turns)))


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
