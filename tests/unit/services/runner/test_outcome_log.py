"""One line for each way in which an attempt ends."""

import pytest
from structlog.testing import capture_logs

from services.runner.outcome_log import log_outcome
from shared.domain.run import (
    Cancelled,
    Claim,
    Done,
    Failed,
    Outcome,
    Postponed,
    Refused,
    RetryAfter,
    RunError,
    RunStatus,
    Usage,
    Waiting,
)
from tests.unit.shared.given import a_memory_effect, a_stored_run

CLAIM = Claim("run_1", 2, "runner-1")
ERROR = RunError("model_refused", "The model declined.")


@pytest.mark.parametrize(
    ("outcome", "level", "event"),
    [
        (Done({"text": "secret words"}, (a_memory_effect(),)), "info", "run.completed"),
        (RetryAfter(1.25, ERROR), "warning", "run.retried"),
        (Postponed(1.25, Waiting.PROVIDER, "No room."), "warning", "run.postponed"),
        (Failed(ERROR, {"text": "secret words"}), "error", "run.failed"),
        (Refused(ERROR), "info", "run.cancelled"),
        (Cancelled(ERROR, Usage()), "info", "run.cancelled"),
        (None, "warning", "run.lost"),
    ],
)
def test_an_end_is_said_once_with_what_it_belongs_to_and_nothing_of_what_was_said(
    outcome: Outcome | None, level: str, event: str
) -> None:
    with capture_logs() as logs:
        log_outcome(CLAIM, a_stored_run(RunStatus.RUNNING), outcome)

    (line,) = logs
    assert (line["log_level"], line["event"]) == (level, event)
    assert (line["run_id"], line["attempt"], line["agent"], line["organisation"]) == ("run_1", 2, "noter", "acme")
    assert "secret words" not in str(line)
