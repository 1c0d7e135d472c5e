"""What a run that is due for the sweep needs."""

import pytest

from services.scheduler.run_sweep import Need, need_of
from shared.domain.run import RunStatus
from tests.unit.shared.given import a_stored_run


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
    assert need_of(a_stored_run(status)) is need
