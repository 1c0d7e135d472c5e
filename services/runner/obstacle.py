"""Whether a claimed run may go on, decided purely from what the gate recorded and from bindings and statuses as they are now."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.deadline import overdue
from shared.domain.decision import Reason, Skipped, explanation
from shared.domain.effective import Effective
from shared.domain.run import Failed, Outcome, Postponed, Refused, RunError, Waiting
from shared.domain.slot import paused_key

Document = dict[str, Any]

_LOOK_AGAIN_SECONDS = 3.0


def obstacle(
    run: Document,
    event: Document | None,
    version: AgentVersion | None,
    handlers: Collection[str],
    configuration: Configuration,
    now: datetime,
) -> Outcome | None:
    """Return the outcome of a run that cannot be executed, or None when nothing stands in its way."""
    late = overdue(run, now)
    if late is not None:
        return Failed(late)
    if event is None:
        return Failed(RunError("event_missing", f"Event {run['event_key']} is not stored any more."))
    if version is None:
        return Failed(
            RunError("agent_version_missing", f"Version {run['agent_version']} of '{run['agent_key']}' does not exist.")
        )
    if version.spec.handler not in handlers:
        return Failed(
            RunError("handler_unknown", f"No runner here has a handler '{version.spec.handler}'; update the runners.")
        )
    effective = configuration.effective(version.spec, run["organisation"], run["project"], run["user"])
    return _undecided(run, event) or _switched_off(run, version, effective) or _paused(run, effective)


def _undecided(run: Document, event: Document) -> Outcome | None:
    if run.get("replay") is not None:
        return None
    if not event["gated"]:
        return Postponed(_LOOK_AGAIN_SECONDS, Waiting.DECISION, "The gate has not recorded its decision yet.")
    decided = run.get("parent_id") or run["_id"]
    if any(decision.get("run_id") == decided for decision in event["decisions"]):
        return None
    return Refused(
        RunError(
            "not_decided", "Two gates decided at once, and the decision that was recorded first does not start it."
        )
    )


def _switched_off(run: Document, version: AgentVersion, effective: Effective) -> Outcome | None:
    # An Agent that is inactive until it is mended is just what people replay; a binding is about whose data it is.
    if effective.is_inactive and run.get("replay") is None:
        inactive = Skipped(version.spec.key, version.number, Reason.AGENT_INACTIVE, None)
        return Refused(RunError("agent_inactive", explanation(inactive)))
    if effective.is_enabled:
        return None
    skipped = Skipped(version.spec.key, version.number, Reason.DISABLED, effective.decided_by)
    return Refused(RunError("agent_disabled", explanation(skipped)))


def _paused(run: Document, effective: Effective) -> Outcome | None:
    if effective.waits_because is None:
        return None
    key = paused_key(run["organisation"], run["agent_key"])
    return Postponed(0, Waiting.PAUSED, effective.waits_because, key)
