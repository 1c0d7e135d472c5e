"""Follow-ups: which Agent continues a session when a job of it has ended, and what it says there. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.agents import EffectKind
from contracts.effects import Confidence
from contracts.envelope import Event
from contracts.ids import derived_id
from contracts.jobs import JobFinished
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.session import TARGET_TYPE

Document = dict[str, Any]

FOLLOW_UP: Final = "job_follow_up"
"""The built-in Agent that continues sessions."""

_FINISHED: Final = "job.finished"
_CUT: Final = "\n[... {} characters left out ...]\n"


def stand_in(event: Event, version: AgentVersion, configuration: Configuration) -> AgentVersion:
    """Return the Agent that the job names in place of the built-in one; that one when there is none that may write."""
    if version.spec.key != FOLLOW_UP or not isinstance(event, JobFinished) or event.data.agent_key is None:
        return version
    named = configuration.agent(event.organisationid, event.data.agent_key)
    return version if named is None or EffectKind.SESSION_MESSAGE not in named.spec.effects else named


def is_follow_up(run: Mapping[str, Any]) -> bool:
    """Return whether a run continues a session because of a job; one that only replays another does not."""
    return run["event_type"] == _FINISHED and run["target"]["type"] == TARGET_TYPE and run.get("replay") is None


def shortened(text: str, most: int) -> str:
    """Return a text of at most about `most` characters: its head and its tail, and how much is missing between."""
    if len(text) <= most:
        return text
    head = most // 2
    return text[:head] + _CUT.format(len(text) - most) + text[len(text) - (most - head) :]


def result_text(job: Mapping[str, Any], output: str) -> str:
    """Return how a job ended and what it printed, for a person."""
    code = job.get("exit_code")
    return f"{job['kind']}: {job['status']}{'' if code is None else f', exit code {code}'}\n{output}".rstrip()


def message_effect(index: int, text: str, metadata: Document) -> Document:
    """Return the effect by which an Agent says something in the session that is its run's target."""
    return {
        "index": index,
        "kind": EffectKind.SESSION_MESSAGE.value,
        "title": "Continue the session",
        "reasoning": "",
        "confidence": Confidence.HIGH.value,
        "base_version": None,
        "change": {"text": text, "metadata": metadata},
        "dropped": None,
    }


def message_of(run: Mapping[str, Any]) -> Document | None:
    """Return the message that a committed run adds to its session, as it is stored; the same run gives the same one."""
    said = [each for each in _effects(run) if each["kind"] == EffectKind.SESSION_MESSAGE and each["dropped"] is None]
    if not said:
        return None
    return {
        "_id": derived_id("msg", run["_id"], "0"),
        "organisation": run["organisation"],
        "user": run["user"],
        "session_id": run["target"]["id"],
        "origin": run["_id"],
        "role": "assistant",
        "text": said[0]["change"]["text"],
        "at": run["finished_at"],
        "turn_id": None,
        "run_id": run["_id"],
        "metadata": said[0]["change"]["metadata"],
    }


def _effects(run: Mapping[str, Any]) -> Sequence[Document]:
    return run.get("effects") or ()
