"""What a run needs to continue a session: what was said in it so far, read while nobody else writes there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.agents import EffectKind
from services.runner.agents.session_prompt import render_session
from services.runner.agents.tool_events import Turn, tool_events
from services.runner.work import Attempt
from shared.clock import Clock
from shared.domain.following_up import is_follow_up, message_effect, result_text, shortened
from shared.domain.session import TARGET_TYPE, open_turn, session_key
from shared.errors import Occupied, Permanent, Unneeded
from shared.store.sessions import SessionStore

_MOST_MESSAGES = 50
_MOST_CHARACTERS = 40_000

Document = dict[str, Any]


class SessionBusy(Occupied):
    """A turn of the session is open."""

    code = "session_busy"


class SessionDeleted(Unneeded):
    """The session that was to be continued is not there any more."""

    code: ClassVar[str] = "session_deleted"


class AnswerEmpty(Permanent):
    """The model had nothing to say where somebody waits to hear how a job ended."""

    code = "answer_empty"


@dataclass(frozen=True, slots=True)
class Continuation:
    """A session to be continued because of a job, with no more of the job's output than is kept."""

    messages: Sequence[Document]
    job: Mapping[str, Any]
    output: str

    @property
    def told(self) -> str:
        """What the model is told of the session and of the job."""
        return render_session(self.messages, self.job, self.output)

    def effect(self, index: int, answer: Mapping[str, Any], model: str, turns: Sequence[Turn]) -> Document:
        """Return the effect that says the answer in the session; raises AnswerEmpty."""
        text = answer.get("message", answer.get("text"))
        if not isinstance(text, str) or not text.strip():
            raise AnswerEmpty(
                "The answer holds no `message`, or an empty one. Have the Agent's output_schema demand it."
            )
        return message_effect(
            index,
            text.strip(),
            {
                "tool_events": tool_events(turns),
                "model": model,
                "job_id": self.job["job_id"],
                "job_result": result_text(self.job, self.output),
            },
        )


@dataclass(frozen=True, slots=True)
class Continuations:
    """Reads sessions; `most_output` is how many characters of a job's output are shown and kept."""

    sessions: SessionStore
    clock: Clock
    most_output: int

    async def of(self, attempt: Attempt) -> Continuation | None:
        """Return what this run continues, None when it is no follow-up.

        Raises SessionBusy while a turn is open, and SessionDeleted. What was said is read as a step, anew once more
        was said.
        """
        if not (is_follow_up(attempt.run) and EffectKind.SESSION_MESSAGE in attempt.spec.effects):
            return None
        session, job = await self._free_session(attempt), attempt.event["data"]
        request = {"session": session["_id"], "length": session["length"]}
        said = await attempt.steps.step("session_read", TARGET_TYPE, request, lambda _: self._said(session["_id"]))
        return Continuation(said["messages"], job, shortened(job.get("output", ""), self.most_output))

    async def _free_session(self, attempt: Attempt) -> Document:
        run = attempt.run
        session_id = run["target"]["id"]
        key = session_key(run["organisation"], session_id)
        session = (await self.sessions.load([key])).get(key)
        if session is None or session["deleted_at"] is not None or session["user"] != run["user"]:
            raise SessionDeleted(f"User '{run['user']}' has no session '{session_id}' any more.")
        turn = open_turn(session, self.clock())
        if turn is not None:
            raise SessionBusy(f"session {session_id}: {turn.text}", key)
        return session

    async def _said(self, key: str) -> Document:
        latest = await self.sessions.messages.latest(key, _MOST_MESSAGES)
        return {"messages": _within([{"role": each["role"], "text": each["text"]} for each in latest])}


def _within(messages: Sequence[Document]) -> list[Document]:
    """Return the latest messages that together are not too long; one that is too long by itself is cut."""
    kept: list[Document] = []
    room = _MOST_CHARACTERS
    for each in reversed(messages):
        text = shortened(each["text"], _MOST_CHARACTERS // 4)
        room -= len(text)
        if room < 0:
            break
        kept.append({**each, "text": text})
    return kept[::-1]
