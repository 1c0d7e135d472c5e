"""Reads the sample day: one file of events for each project, and `day.json`, which says what else happens."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.agents import Scope
from contracts.envelope import Event
from contracts.members import MemberJoined
from contracts.registry import parse
from infra.demo.script import Approve, Due, Edit, Person, Publish, Schedule, Script, Step, SwitchOff, batches

FOLDER = Path(__file__).with_name("day")
PLAN = "day.json"
PACE_SECONDS = 0.12
RESENT_AFTER = timedelta(minutes=5)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _SwitchOff(_Model):
    time: AwareDatetime
    organisation: str
    user: str
    roles: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    agent_key: str
    scope: Scope
    scope_id: str


class _Schedule(_Model):
    time: AwareDatetime
    organisation: str
    user: str
    roles: tuple[str, ...] = ()
    agent_key: str
    scope: Scope
    scope_id: str
    every_seconds: int


class _Approve(_Model):
    time: AwareDatetime
    organisation: str
    user: str
    block_label: str
    field: str


class _Edit(_Model):
    block_label: str
    field: str
    text: str


class _Person(_Model):
    organisation: str
    user: str


class _Plan(_Model):
    """`sent_again` are the ids of events whose product saw no answer and sends them once more, minutes later."""

    title: str
    switched_off: tuple[_SwitchOff, ...]
    scheduled: tuple[_Schedule, ...]
    approved: tuple[_Approve, ...]
    sent_again: frozenset[str]
    inbox: _Person
    edit: _Edit
    session: str
    coached: _Person


Request = SwitchOff | Schedule | Approve


@dataclass(frozen=True, slots=True)
class _Moment:
    at: datetime
    what: Event | Request


def sample_day(play: str, folder: Path = FOLDER) -> Script:
    """Return the day as a script; `play` makes its events new where the day was played before."""
    plan = _Plan.model_validate_json((folder / PLAN).read_bytes())
    events = [_stamped(event, play) for event in day_events(folder)]
    moments = [_Moment(_time_of(event), event) for event in events]
    moments += [_Moment(moment.at + RESENT_AFTER, moment.what) for moment in moments if _is_in(moment, plan.sent_again)]
    moments += [_Moment(request.time, request) for request in _requests(plan)]
    moments.sort(key=lambda moment: moment.at)
    return Script(
        title=plan.title,
        steps=tuple(_steps(moments)),
        inbox=Person(plan.inbox.organisation, plan.inbox.user),
        pace_seconds=PACE_SECONDS,
        edit=Edit(**dict(plan.edit)),
        session=plan.session,
        coached=Person(plan.coached.organisation, plan.coached.user),
        due=frozenset([*_pulses(events), *_scans(plan)]),
    )


def _requests(plan: _Plan) -> Iterator[Request]:
    yield from (SwitchOff(**dict(switch)) for switch in plan.switched_off)
    yield from (Schedule(**dict(schedule)) for schedule in plan.scheduled)
    yield from (Approve(**dict(approval)) for approval in plan.approved)


def _pulses(events: Iterable[Event]) -> Iterator[Due]:
    """Yield the operating pulse of every member."""
    for event in events:
        if isinstance(event, MemberJoined) and event.projectid is not None:
            yield Due("operating_pulse", event.organisationid, event.projectid, event.userid or "")


def _scans(plan: _Plan) -> Iterator[Due]:
    yield from (Due(each.agent_key, each.organisation, each.scope_id) for each in plan.scheduled)


def day_events(folder: Path = FOLDER) -> list[Event]:
    """Return every event of the day, project by project."""
    files = sorted(file for file in folder.glob("*.json") if file.name != PLAN)
    return [parse(value) for file in files for value in orjson.loads(file.read_bytes())]


def _stamped(event: Event, play: str) -> Event:
    # An event is known by its source and id: another source makes it another event.
    return event.model_copy(update={"source": f"{event.source}/{play}"})


def _time_of(event: Event) -> datetime:
    if event.time is None:
        raise ValueError(f"event '{event.id}' of the sample day has no time")
    return event.time


def _is_in(moment: _Moment, ids: frozenset[str]) -> bool:
    return isinstance(moment.what, Event) and moment.what.id in ids


def _steps(moments: list[_Moment]) -> Iterator[Step]:
    """Send together what one product has to tell within a minute, and everything else singly."""
    for group in batches(moments, _request):
        events = tuple(moment.what for moment in group if isinstance(moment.what, Event))
        if events:
            yield Publish(events[0].organisationid, events)
        yield from (moment.what for moment in group if not isinstance(moment.what, Event))


def _request(moment: _Moment) -> Hashable:
    if not isinstance(moment.what, Event):
        return moment.what
    return moment.what.organisationid, moment.what.source, moment.at.replace(second=0, microsecond=0)
