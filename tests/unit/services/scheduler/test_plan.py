"""Which schedules should be in force."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import AgentSpec, DailySchedule, IntervalSchedule, Misfire, Schedule, Scope
from services.scheduler.plan import plan
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.firing import FiringRule
from shared.domain.schedule import next_due
from shared.store.members import Member, whole_project
from shared.store.schedules import ScheduleInForce
from tests.unit.shared.given import NOW, a_spec, a_version, triggered

BY_MEMBER = DailySchedule(daily_hour=7, timezone="member")
ADA, BOB = Member("acme", "apollo", "ada"), Member("acme", "apollo", "bob", "Europe/Berlin")
QUARTERLY = IntervalSchedule(every_seconds=900)
DAILY = DailySchedule(daily_hour=7, timezone="Europe/Berlin")


def scheduled(key: str = "pulse", schedule: Schedule | None = QUARTERLY) -> AgentSpec:
    trigger = {"schedule": schedule, "target": {"type": "day", "id": "{data.date}"}}
    return a_spec(key, schedule_trigger=trigger)


def ruled(**rule: object) -> AgentSpec:
    target = {"type": "day", "id": "{data.date}"}
    return a_spec("pulse", schedule_trigger={"schedule": QUARTERLY, "target": target, **rule})


def configured(*specs: AgentSpec, bindings: tuple[Binding, ...] = ()) -> Configuration:
    configuration = Configuration()
    configuration.replace_agents([a_version(spec) for spec in specs])
    configuration.replace_bindings(bindings)
    return configuration


def user_binding(schedule: Schedule | None = None, *, enabled: bool | None = None) -> Binding:
    return Binding("acme", ScopeRef(Scope.USER, "ada"), "pulse", enabled, schedule=schedule)


def in_force(*schedules: ScheduleInForce) -> dict[str, ScheduleInForce]:
    return {schedule.id: schedule for schedule in schedules}


def test_every_member_has_the_schedule_of_every_agent_that_has_one() -> None:
    configuration = configured(scheduled("pulse"), scheduled("review"), triggered("noter"), scheduled("silent", None))

    changed, gone = plan(configuration, [ADA, BOB], {}, NOW)

    assert {(each.agent_key, each.member.user) for each in changed} == {
        ("pulse", "ada"),
        ("pulse", "bob"),
        ("review", "ada"),
        ("review", "bob"),
    }
    assert all((each.since, each.next_due_at) == (NOW, next_due(QUARTERLY, NOW)) for each in changed)
    assert gone == []


def test_a_binding_sets_the_schedule_in_its_place_alone() -> None:
    changed, _ = plan(configured(scheduled(), bindings=(user_binding(DAILY),)), [ADA, BOB], {}, NOW)

    assert {each.member.user: each.schedule for each in changed} == {"ada": DAILY, "bob": QUARTERLY}


def test_a_binding_gives_a_schedule_to_an_agent_that_has_none_of_its_own() -> None:
    changed, _ = plan(configured(scheduled(schedule=None), bindings=(user_binding(DAILY),)), [ADA, BOB], {}, NOW)

    assert [(each.member.user, each.schedule) for each in changed] == [("ada", DAILY)]


def test_a_schedule_is_in_force_for_those_only_whom_its_trigger_serves() -> None:
    configuration = configured(ruled(user_filter="member.timezone.startsWith('Europe/')"))
    of_ada = ScheduleInForce("pulse", ADA, QUARTERLY, NOW, NOW)

    changed, gone = plan(configuration, [ADA, BOB], in_force(of_ada), NOW)

    assert ([each.member for each in changed], gone) == ([BOB], [of_ada.id])


def test_a_disabled_agent_keeps_its_schedule() -> None:
    changed, gone = plan(configured(scheduled(), bindings=(user_binding(enabled=False),)), [ADA], {}, NOW)

    assert (len(changed), gone) == (1, [])


def test_a_schedule_that_stays_as_it_is_is_not_written() -> None:
    before = ScheduleInForce("pulse", ADA, QUARTERLY, NOW - timedelta(days=3), NOW - timedelta(days=1))

    assert plan(configured(scheduled()), [ADA], in_force(before), NOW) == ([], [])


def test_a_changed_schedule_counts_from_now() -> None:
    before = ScheduleInForce("pulse", ADA, DAILY, NOW - timedelta(days=3), NOW - timedelta(days=1))

    ((changed,), gone) = plan(configured(scheduled()), [ADA], in_force(before), NOW)

    assert changed == ScheduleInForce("pulse", ADA, QUARTERLY, NOW, next_due(QUARTERLY, NOW))
    assert gone == []


def test_a_member_who_moved_keeps_what_was_due() -> None:
    before = ScheduleInForce("pulse", ADA, QUARTERLY, NOW - timedelta(days=3), NOW - timedelta(days=1))
    moved = replace(ADA, timezone="America/New_York")

    ((changed,), _) = plan(configured(scheduled()), [moved], in_force(before), NOW)

    assert changed == replace(before, member=moved)


def test_the_rule_of_the_trigger_holds_for_each_schedule_and_moves_its_fires() -> None:
    changed, _ = plan(configured(ruled(misfire="skip", jitter_seconds=600)), [ADA, BOB], {}, NOW)

    assert {each.rule for each in changed} == {FiringRule(Misfire.SKIP, jitter_seconds=600)}
    assert len({each.offset for each in changed}) == 2
    assert all(each.next_due_at == next_due(QUARTERLY, NOW) + each.offset for each in changed)


def test_another_rule_leaves_due_what_is_due() -> None:
    since = NOW - timedelta(days=1)
    before = ScheduleInForce("pulse", ADA, QUARTERLY, since, next_due(QUARTERLY, since), fired_for=since)

    ((changed,), _) = plan(configured(ruled(jitter_seconds=600)), [ADA], in_force(before), NOW)

    assert (changed.since, changed.fired_for) == (since, since)
    assert changed.next_due_at == next_due(QUARTERLY, since) + changed.offset > before.next_due_at


def test_another_schedule_remembers_the_last_fire() -> None:
    before = ScheduleInForce("pulse", ADA, DAILY, NOW - timedelta(days=3), NOW, fired_for=NOW - timedelta(days=3))

    ((changed,), _) = plan(configured(scheduled()), [ADA], in_force(before), NOW)

    assert (changed.since, changed.fired_for) == (NOW, NOW - timedelta(days=3))


def test_schedules_of_members_who_left_and_agents_that_are_gone_are_removed() -> None:
    of_bob = ScheduleInForce("pulse", BOB, QUARTERLY, NOW, NOW)
    of_review = ScheduleInForce("review", ADA, QUARTERLY, NOW, NOW)
    of_ada = ScheduleInForce("pulse", ADA, QUARTERLY, NOW, NOW)

    changed, gone = plan(configured(scheduled()), [ADA], in_force(of_bob, of_review, of_ada), NOW)

    assert (changed, sorted(gone)) == ([], sorted([of_bob.id, of_review.id]))


MEMBERS = st.lists(
    st.builds(Member, st.sampled_from(["acme", "other"]), st.just("apollo"), st.sampled_from("abc")), unique=True
)


@given(members=MEMBERS, later=st.lists(st.sampled_from("abc")), schedule=st.sampled_from([QUARTERLY, DAILY]))
def test_planning_again_changes_nothing(members: list[Member], later: list[str], schedule: Schedule) -> None:
    stale = [ScheduleInForce("pulse", Member("acme", "gone", user), QUARTERLY, NOW, NOW) for user in later]
    configuration = configured(scheduled(schedule=schedule))

    changed, gone = plan(configuration, members, in_force(*stale), NOW)
    kept = {id_: each for id_, each in in_force(*stale).items() if id_ not in gone} | in_force(*changed)

    assert plan(configuration, members, kept, NOW + timedelta(hours=1)) == ([], [])
    assert len(kept) == len(members)


def test_one_for_the_organisation_fires_once_whoever_its_members_are_and_without_any() -> None:
    trigger = {"schedule": QUARTERLY, "target": {"type": "task", "id": "{data.fire_id}"}, "for_each": "organisation"}
    archive = a_spec("archive", schedule_trigger=trigger)
    of_server, own = Configuration(), Configuration()
    of_server.replace_agents([a_version(archive)])
    own.replace_agents([AgentVersion(1, archive, "harbour")])

    members = [(each.member.organisation, each.member.user) for each in plan(of_server, [ADA, BOB], {}, NOW)[0]]
    memberless = [(each.member.organisation, each.member.user) for each in plan(own, [], {}, NOW)[0]]

    assert members == [("acme", "")]
    assert memberless == [("harbour", "")]


def test_a_schedule_for_the_organisation_obeys_the_organisations_binding() -> None:
    trigger = {"schedule": QUARTERLY, "target": {"type": "task", "id": "{id}"}, "for_each": "organisation"}
    binding = Binding("acme", ScopeRef(Scope.ORGANISATION, "acme"), "archive", schedule=DAILY)

    (schedule,), _ = plan(configured(a_spec("archive", schedule_trigger=trigger), bindings=(binding,)), [ADA], {}, NOW)

    assert (schedule.schedule, schedule.decided_by) == (DAILY, ScopeRef(Scope.ORGANISATION, "acme"))


def test_one_for_the_project_fires_once_for_each_project_that_has_members() -> None:
    trigger = {"schedule": QUARTERLY, "target": {"type": "task", "id": "{data.fire_id}"}, "for_each": "project"}
    scan = a_spec("scan", schedule_trigger=trigger)
    binding = Binding("acme", ScopeRef(Scope.PROJECT, "gemini"), "scan", schedule=DAILY)
    members = [ADA, BOB, replace(BOB, project="gemini"), replace(ADA, organisation="harbour")]

    changed, _ = plan(configured(scan, bindings=(binding,)), members, {}, NOW)

    assert {(each.member, each.schedule) for each in changed} == {
        (whole_project("acme", "apollo"), QUARTERLY),
        (whole_project("acme", "gemini"), DAILY),
        (whole_project("harbour", "apollo"), QUARTERLY),
    }
    assert plan(configured(scan), [], in_force(*changed), NOW) == ([], [each.id for each in changed])


def test_a_schedule_on_the_clock_of_the_member_is_due_in_the_zone_of_each() -> None:
    changed, _ = plan(configured(scheduled("review", BY_MEMBER)), [ADA, BOB], {}, NOW)

    hours = {each.member.user: (each.schedule, each.next_due_at.hour) for each in changed}
    assert hours == {
        "ada": (DailySchedule(daily_hour=7, timezone="UTC"), 7),
        "bob": (DailySchedule(daily_hour=7, timezone="Europe/Berlin"), 6),
    }


def test_a_member_who_moves_is_served_by_the_new_clock_from_then_on() -> None:
    configuration = configured(scheduled("review", BY_MEMBER))
    before, _ = plan(configuration, [BOB], {}, NOW)

    moved, gone = plan(configuration, [replace(BOB, timezone="Asia/Tokyo")], in_force(*before), NOW)

    assert [(each.id, each.next_due_at.hour) for each in moved] == [(before[0].id, 22)]
    assert gone == []
    assert plan(configuration, [BOB], in_force(*before), NOW) == ([], [])


def test_a_binding_may_set_the_clock_of_the_member_too() -> None:
    changed, _ = plan(configured(scheduled(), bindings=(user_binding(BY_MEMBER),)), [replace(BOB, user="ada")], {}, NOW)

    assert [each.schedule for each in changed] == [DAILY]


def test_what_fires_for_no_member_takes_utc_for_the_clock_of_the_member() -> None:
    trigger = {"schedule": BY_MEMBER, "target": {"type": "task", "id": "{id}"}, "for_each": "project"}

    (schedule,), _ = plan(configured(a_spec("scan", schedule_trigger=trigger)), [BOB], {}, NOW)

    assert schedule.schedule == DailySchedule(daily_hour=7)
