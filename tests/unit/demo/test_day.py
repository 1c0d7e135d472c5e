"""The sample day: believable in size, valid throughout, and as eventful as it is meant to be."""

from collections import Counter
from zoneinfo import ZoneInfo

from contracts.agents import Scope
from contracts.members import MemberJoined
from infra.demo.day import FOLDER, day_events, sample_day
from infra.demo.script import Publish, SwitchOff
from shared.catalog.builtin import builtin_agents


def test_every_event_is_one_that_a_product_may_publish() -> None:
    events = day_events()

    assert 40 <= len(events) <= 60
    assert len({event.key for event in events}) == len(events)
    assert all(event.time is not None and event.userid is not None for event in events)


def test_two_organisations_three_projects_and_five_users_take_part() -> None:
    day = sample_day("play")

    assert len(day.organisations) == 2
    assert len(day.projects) == 3
    assert len(day.people) == 5
    assert {(member.organisation, member.project) for member in day.members} == set(day.projects)


def test_members_live_in_several_time_zones() -> None:
    zones = {event.data.timezone for event in day_events() if isinstance(event, MemberJoined)}

    assert len({ZoneInfo(zone) for zone in zones}) == 5


def test_some_events_are_sent_twice_and_the_second_time_later() -> None:
    sent = [event.id for event in sample_day("play").events]

    twice = [id_ for id_, count in Counter(sent).items() if count == 2]

    assert len(twice) == 4
    assert len(sent) == len(day_events()) + len(twice)


def test_there_are_single_events_and_batches_of_one_organisation() -> None:
    requests = [step for step in sample_day("play").steps if isinstance(step, Publish)]

    assert {len(request.events) == 1 for request in requests} == {True, False}
    assert all({event.organisationid for event in request.events} == {request.organisation} for request in requests)


def test_everything_is_sent_for_the_first_time_in_the_order_of_the_day() -> None:
    first_sendings = list({event.key: event.time for event in sample_day("play").events}.values())

    assert first_sendings == sorted(time for time in first_sendings if time is not None)


def test_an_agent_is_off_for_a_project_and_another_for_a_user_before_it_matters() -> None:
    day = sample_day("play")
    switches = [step for step in day.steps if isinstance(step, SwitchOff)]
    affected = {
        Scope.PROJECT: [
            event for event in day.events if event.projectid == "payments" and event.type.startswith("doc")
        ],
        Scope.USER: [event for event in day.events if event.userid == "joel.okafor" and event.type.startswith("chat")],
    }

    assert {switch.scope for switch in switches} == {Scope.PROJECT, Scope.USER}
    assert {switch.agent_key for switch in switches} <= {agent.key for agent in builtin_agents(900)}
    for switch in switches:
        assert affected[switch.scope]
        assert all(event.time is not None and event.time > switch.time for event in affected[switch.scope])


def test_another_play_sends_other_events() -> None:
    first, second = ({event.key for event in sample_day(play).events} for play in ("one", "two"))

    assert not first & second


def test_every_file_of_the_folder_belongs_to_the_day() -> None:
    projects = {project for _, project in sample_day("play").projects}

    assert {file.stem for file in FOLDER.iterdir()} == {"day", *projects}
