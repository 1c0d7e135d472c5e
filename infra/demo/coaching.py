"""Whose check-in was answered last."""

from collections.abc import Iterable

from infra.demo.observation import Run
from infra.demo.script import Person

CHECKIN_PROCESSOR = "today_checkin_processor"


def latest_of(runs: Iterable[Run], agent_key: str, person: Person) -> Run | None:
    """Return the last of the person's runs of this Agent, in the order in which they were started."""
    wanted = (agent_key, person.organisation, person.user)
    theirs = [run for run in runs if (run.agent_key, run.organisation, run.user) == wanted]
    return theirs[-1] if theirs else None
