"""When a run has had its time: the time in the queue before its first start, and the time from then on."""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.run import RunError


def run_deadline(run: dict[str, Any]) -> datetime | None:
    """Return the moment at which a run that was started must have ended."""
    seconds, started_at = run.get("run_timeout_seconds"), run.get("started_at")
    if seconds is None or started_at is None:
        return None
    deadline: datetime = started_at + timedelta(seconds=seconds)
    return deadline


def overdue(run: dict[str, Any], now: datetime) -> RunError | None:
    """Return why a run has to end now, or None while it has time left."""
    deadline = run_deadline(run)
    if deadline is not None and now >= deadline:
        seconds = run["run_timeout_seconds"]
        detail = f"The run did not end within {seconds} s of its first start (run_timeout_seconds of the Agent)."
        return RunError("run_timed_out", detail)
    expires_at = run.get("queue_expires_at")
    if expires_at is not None and run.get("started_at") is not None and run["attempt"] <= 1:
        return _waited_too_long(run) if run["started_at"] >= expires_at else None
    if expires_at is not None and run.get("started_at") is None and now >= expires_at:
        return _waited_too_long(run)
    return None


def _waited_too_long(run: dict[str, Any]) -> RunError:
    waited = round((run["queue_expires_at"] - run["queued_at"]).total_seconds())
    return RunError(
        "queue_timed_out", f"The run did not start within {waited} s of being queued (queue_timeout_seconds)."
    )
