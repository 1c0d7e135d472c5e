"""The Agent that asks questions about its user: an insight for each, merged into a field of memory as a proposal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts.agents import EffectKind, ModelTier
from contracts.queries import Merge, Query
from services.runner.agents.answering import answer_to
from services.runner.agents.asking import INSIGHT, MERGED, current_text, memory_diff, merge_text, question_text
from services.runner.agents.conversation import Conversation
from services.runner.agents.histories import Histories
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.seen_memory import owners_of, read_memory
from services.runner.agents.tool_calls import ToolCalls
from services.runner.recorder import StepLost, StepsRefused
from services.runner.work import Attempt
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis, SeenBlock
from shared.domain.run import Done, Usage
from shared.errors import AppError, NotNow, Permanent, Retryable, StorageUnavailable
from shared.store.events import EventStore
from shared.store.memory import MemoryStore

_STEPS_EACH = 100
"""The steps of each query have numbers of their own, so that one that is made again moves no other."""


class UserMissing(Permanent):
    """Queries are about a user, and the run has none."""

    code = "user_missing"


@dataclass(frozen=True, slots=True)
class Answered:
    """A query with its answer and the text that it proposes, empty when nothing is new; or why there is none."""

    query: Query
    answer: Mapping[str, Any] | None = None
    proposed: str = ""
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class QueriesAgent:
    """Runs any Agent version whose handler is `queries`. One that fails keeps no other from being asked."""

    model_calls: ModelCalls
    tool_calls: ToolCalls
    models: Mapping[ModelTier, str]
    memory: MemoryStore
    events: EventStore

    async def __call__(self, attempt: Attempt) -> Done:
        """Return the insights and their memory diffs.

        Raises what kept a query from its answer when another attempt may help or none was answered, and UserMissing.
        """
        if attempt.run["user"] is None:
            raise UserMissing(f"'{attempt.spec.key}' asks about a user, and its event names none. Name one.")
        owners = owners_of(attempt)
        seen = await read_memory(self.memory, attempt, owners)
        histories = Histories(self.events, attempt)
        answered = []
        for number, query in enumerate(attempt.spec.queries, 1):
            attempt.steps.number_from(number * _STEPS_EACH)
            answered.append(await self._answered(attempt, query, seen, histories))
        _raise_for(attempt, answered)
        diffs = [
            memory_diff(each.query, each.answer, each.proposed) for each in answered if each.answer and each.proposed
        ]
        kinds = [kind for kind in attempt.spec.effects if kind is EffectKind.MEMORY_DIFF]
        effects = effects_of({"memory_diffs": diffs}, kinds, Basis(owners, tuple(seen)))
        return Done({"queries": [_shown(each) for each in answered]}, effects, _tally(answered))

    async def _answered(
        self, attempt: Attempt, query: Query, seen: Sequence[SeenBlock], histories: Histories
    ) -> Answered:
        try:
            return await self._ask(attempt, query, seen, histories)
        except (NotNow, StorageUnavailable, StepLost, StepsRefused):
            raise
        except AppError as error:
            paid = getattr(error, "usage", None)
            if paid is not None:
                attempt.usage = attempt.usage.plus(Usage(paid.input_tokens, paid.output_tokens, 1))
            return Answered(query, error=error)

    async def _ask(self, attempt: Attempt, query: Query, seen: Sequence[SeenBlock], histories: Histories) -> Answered:
        history = await histories.of(query)
        asked = self._conversation(attempt, INSIGHT)
        answer = await answer_to(asked, question_text(query, seen, history))
        insight, current = answer["insight"].strip(), current_text(query, seen)
        if query.merge is not Merge.LLM_DIFF or not insight or not current:
            return Answered(query, answer, insight)
        merging = replace(asked, output_schema=MERGED, turns=(), rounds=0)
        merged = await answer_to(merging, merge_text(query, current, insight))
        return Answered(query, answer, merged["merged_text"].strip())

    def _conversation(self, attempt: Attempt, schema: Mapping[str, Any]) -> Conversation:
        return Conversation(attempt, self.models[attempt.spec.model.tier], self.model_calls, self.tool_calls, schema)


def _raise_for(attempt: Attempt, answered: Sequence[Answered]) -> None:
    """Raise an error that another attempt may mend while there is one left, and the last one when nothing was answered."""
    errors = [each.error for each in answered if each.error is not None]
    passing = next((error for error in errors if isinstance(error, Retryable)), None)
    if passing is not None and attempt.run["failures"] < attempt.spec.retry_attempts:
        raise passing
    if errors and len(errors) == len(answered):
        raise errors[-1]


def _tally(answered: Sequence[Answered]) -> dict[str, int]:
    failed = sum(each.error is not None for each in answered)
    return {"queries_executed": len(answered) - failed, "queries_failed": failed}


def _shown(each: Answered) -> dict[str, Any]:
    shown: dict[str, Any] = {"target": each.query.target, "question": each.query.question, "merge": each.query.merge}
    if each.error is not None:
        return {**shown, "status": "failed", "error": {"code": each.error.code, "detail": each.error.message}}
    return {**shown, "status": "proposed" if each.proposed else "nothing_new", **(each.answer or {})}
