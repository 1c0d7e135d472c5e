"""Says in words what became of a run, and what it waits for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from shared.domain.run import RunStatus, Waiting
from shared.domain.words import counted, utc_text

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known besides the run: how many wait ahead of it, if it has a place, and how many runners are at work."""

    now: datetime
    ahead: int | None = None
    runners: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence that answers the question, and what else there is to know."""

    summary: str
    details: tuple[str, ...] = ()


def explain(run: Document, around: Surroundings) -> Explanation:
    """Explain the present state of a run."""
    status = RunStatus(run["status"])
    details = [*_attempts(run), *_place(run, around)]
    match status:
        case RunStatus.QUEUED:
            summary = _queued(run, around)
        case RunStatus.RUNNING:
            summary = _running(run, around)
        case RunStatus.COMPLETED:
            proposed = sum(1 for effect in run.get("effects") or () if effect["dropped"] is None)
            summary = f"It completed at {utc_text(run['finished_at'])} and asks for {counted(proposed, 'change')}."
            details.append(f"Its output and steps: GET /api/agent-runs/{run['_id']}.")
            details.append(f"Its proposals: GET /api/proposals?run_id={run['_id']}.")
        case RunStatus.FAILED:
            summary = f"It failed at {utc_text(run['finished_at'])}: {_error(run)}"
            details.append(f"Its dead letter can be redriven or discarded: /api/dead-letters/{run['_id']}.")
        case RunStatus.CANCELLED:
            summary = f"It was cancelled at {utc_text(run['finished_at'])}: {_cancelled_by(run)}"
        case _:
            assert_never(status)
    return Explanation(summary, tuple(details))


def _queued(run: Document, around: Surroundings) -> str:
    if run["cancel"] is not None:
        return "It is to be cancelled; a runner sees to what its lost runner left open at the provider."
    waiting = run["waiting_for"]
    if waiting is None:
        since = _seconds(around.now, run["changed_at"])
        if around.runners == 0:
            return f"It has been dispatched for {since}, and no runner is at work: start one."
        return (
            f"It has been dispatched for {since} in lane {run['lane']};"
            f" it starts when one of {counted(around.runners, 'runner')} has a free slot."
        )
    return _WAITS[Waiting(waiting["what"])].format(
        detail=waiting["detail"],
        until=utc_text(waiting["until"]) if waiting["until"] else "it may go on",
        error=_error(run),
        agent=run["agent_key"],
        organisation=run["organisation"],
        taken=counted(len(run.get("gathering", {}).get("events", "1")), "event"),
    )


_WAITS = {
    Waiting.DELAY: "Its trigger asks for a delay; it starts at {until}.",
    Waiting.DEBOUNCE: "It has taken {taken} and waits for more about its target; it starts at {until} unless one comes.",
    Waiting.RETRY: "Its last attempt failed, and the next one starts at {until}. {error}",
    Waiting.DECISION: "The gate has not recorded its decision yet; it is looked at again at {until}.",
    Waiting.PROVIDER: "The model provider has no room for now; it is tried again at {until}. {detail}",
    Waiting.PAUSED: "Agent {agent} is {detail}; it starts when nothing pauses it any more.",
    Waiting.SESSION: "Somebody else is writing into its session ({detail}); it starts when that turn has ended.",
    Waiting.TARGET: "Another run works on its target ({detail}); it starts when that one has ended.",
    Waiting.AGENT: "{detail} has as many runs at a time as max_concurrent_tasks allows; it starts when one has ended.",
    Waiting.ORGANISATION: "Organisation {organisation} has its full number of open runs; this one waits for its turn.",
    Waiting.CHILDREN: "It is a batch: {detail}.",
    Waiting.SERVER: "As many runs as AI_QUEUE_MAX_CONCURRENCY allows are under way; it starts when one has ended.",
}


def _running(run: Document, around: Surroundings) -> str:
    if run["cancel"] is not None:
        return (
            f"It is being cancelled since {utc_text(run['cancel']['requested_at'])}; its runner has not confirmed yet."
        )
    return f"It is running for {_seconds(around.now, run['started_at'])}, in attempt {run['attempt']}."


def _attempts(run: Document) -> list[str]:
    said = [f"Agent {run['agent_key']}, version {run['agent_version']}, queued at {utc_text(run['queued_at'])}."]
    if (replay := run.get("replay")) is not None:
        said.append(f"It replays run {replay['of']} for replay {replay['id']}, with effects off.")
    if run["attempt"] > 1:
        said.append(f"It has had {run['attempt']} attempts; {run['losses']} of them lost their runner.")
    if run.get("redriven"):
        said.append(f"It was redriven {counted(run['redriven'], 'time')}.")
    return said


def _place(run: Document, around: Surroundings) -> list[str]:
    if around.ahead is None or run["status"] != RunStatus.QUEUED or run["waiting_for"] is None:
        return []
    since = _seconds(around.now, run["waiting_for"]["since"])
    return [f"Position {around.ahead + 1} among those that wait for the same, for {since}."]


def _error(run: Document) -> str:
    error = run.get("error")
    return "" if error is None else f"{error['detail']} ({error['code']})"


def _cancelled_by(run: Document) -> str:
    cancel = run["cancel"]
    if cancel is None:
        return _error(run)
    spent = run.get("spent_after_cancel")
    said = f"{cancel['requested_by']} asked for it at {utc_text(cancel['requested_at'])}"
    said += f" ({cancel['reason']})." if cancel["reason"] else "."
    if spent is None:
        return said
    tokens = spent["input_tokens"] + spent["output_tokens"]
    return f"{said} After that it used {counted(tokens, 'token')}."


def _seconds(now: datetime, since: datetime) -> str:
    seconds = max(0.0, (now - since).total_seconds())
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
