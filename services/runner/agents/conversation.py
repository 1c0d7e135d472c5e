"""The talk of one attempt with a model: its answer, after as many rounds of tool calls as it wants and may have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.runner.agents.limits import check_round
from services.runner.agents.model_calls import ModelCalls, Said
from services.runner.agents.tool_calls import ToolCalls
from services.runner.work import Attempt
from shared.domain.effects.basis import Shown
from shared.llm.port import Message, ModelRequest, Role, ToolCall, ToolResult


@dataclass(slots=True)
class Conversation:
    """Grows turn by turn; an attempt that is resumed comes to the same turns from the record."""

    attempt: Attempt
    model: str
    model_calls: ModelCalls
    tool_calls: ToolCalls
    output_schema: Mapping[str, Any] | None
    turns: tuple[Message | ToolCall | ToolResult, ...] = ()
    rounds: int = 0

    async def answer_to(self, text: str) -> str:
        """Say something, have tools called for as long as the model asks for them, and return what it answers."""
        self.turns = (*self.turns, Message(Role.USER, text))
        while True:
            said = await self._ask()
            if said.text:
                self.turns = (*self.turns, Message(Role.ASSISTANT, said.text))
            if not said.tool_calls:
                return said.text
            check_round(self.attempt, self.rounds)
            self.rounds += 1
            results = await self.tool_calls.make(self.attempt, said.tool_calls)
            self.turns = (*self.turns, *said.tool_calls, *results)

    def shown(self, event_id: str, told: str) -> Shown:
        """Return what an answer may refer to: what was told at first, and what tools returned since."""
        texts = (turn.output for turn in self.turns if isinstance(turn, ToolResult))
        tools = frozenset(turn.name for turn in self.turns if isinstance(turn, ToolCall))
        return Shown(event_id, (told, *texts), tools)

    async def _ask(self) -> Said:
        spec, claim = self.attempt.spec, self.attempt.claim
        request = ModelRequest(
            model=self.model,
            instructions=spec.instructions,
            input=self.turns,
            output_schema=self.output_schema,
            schema_name=spec.key,
            max_output_tokens=spec.model.max_output_tokens,
            metadata={"run_id": claim.run_id, "attempt": str(claim.attempt), "agent_key": spec.key},
            tools=self.tool_calls.offered(self.attempt),
        )
        return await self.model_calls.make(self.attempt, request)
