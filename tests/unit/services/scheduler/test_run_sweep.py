"""What a run that is due for the sweep needs."""

from typing import Any

import pytest

from services.scheduler.run_sweep import Need, need_of
from shared.domain.run import RunStatus, Waiting
from shared.store.run_documents import waiting_document
from tests.unit.shared.given import LATER, NOW, a_stored_run

RETRYING = {"waiting_for": waiting_document(Waiting.RETRY, NOW, until=LATER)}
PAUSED = {"waiting_for": waiting_document(Waiting.PAUSED, NOW, key="slot_1")}
LATE = {"queue_expires_at": LATER}
CANCELLING = {"cancel": {"requested_by": "olga"}}


@pytest.mark.parametrize(
    ("status", "need"),
    [
        (RunStatus.QUEUED, Need.DISPATCH),
        (RunStatus.RUNNING, Need.TAKE_OVER),
        (RunStatus.COMPLETED, Need.FOLLOW),
        (RunStatus.FAILED, Need.FOLLOW),
        (RunStatus.CANCELLED, Need.FOLLOW),
    ],
)
def test_the_status_says_what_a_run_needs(status: RunStatus, need: Need) -> None:
    assert need_of(a_stored_run(status), LATER, is_paused=False) is need


@pytest.mark.parametrize(
    ("changes", "is_paused", "need"),
    [
        (RETRYING, False, Need.RELEASE),
        (RETRYING, True, Need.RELEASE),
        (PAUSED, True, Need.STAY_PAUSED),
        (PAUSED, False, Need.RELEASE),
        (LATE, False, Need.EXPIRE),
        (LATE | PAUSED, True, Need.EXPIRE),
        (CANCELLING, False, Need.DISPATCH),
        (CANCELLING | LATE, False, Need.DISPATCH),
    ],
)
def test_a_queued_run_needs_what_its_waiting_and_its_time_say(
    changes: dict[str, Any], is_paused: bool, need: Need
) -> None:
    assert need_of(a_stored_run(**changes), LATER, is_paused=is_paused) is need
