"""The cases themselves: readable, possible, and each with something that its Agent could do or get wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.agents import AgentSpec
from contracts.effects import SHAPES
from infra.evals.case import Case, Pattern, load, load_all
from infra.evals.performing import run_of
from infra.evals.world import event_of, happened
from shared.catalog.builtin import builtin_agents

AGENTS = {agent.key: agent for agent in builtin_agents(900)}
CASES = load_all()
LEAST = 20
OF_SESSIONS = "job_follow_up"
"""It answers in a session, which the cases do not have."""


def fields_of(schema: Any) -> Iterator[str]:
    """Yield every property that an answer may have, at whatever depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from fields_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from fields_of(part)


def impossible(spec: AgentSpec, pattern: Pattern) -> list[str]:
    """Return what of a pattern no answer of the Agent can ever have."""
    shape = SHAPES[pattern.kind].model_fields if pattern.kind is not None else {}
    fields = {*fields_of(spec.output_schema), *shape}
    names = [name for name in (pattern.inside, *pattern.where) if name is not None and name not in fields]
    kinds = [pattern.kind.value] if pattern.kind is not None and pattern.kind not in spec.effects else []
    return names + kinds


def test_every_built_in_agent_that_works_on_events_has_its_cases() -> None:
    enough = {agent: len(cases) >= LEAST for agent, cases in CASES.items()}

    assert enough == dict.fromkeys(AGENTS.keys() - {OF_SESSIONS}, True)


@pytest.mark.parametrize("agent", sorted(CASES))
def test_every_case_could_happen_and_says_what_it_expects(agent: str) -> None:
    for case in CASES[agent]:
        event = event_of(agent, case)

        assert run_of(AGENTS[agent], case, event).target.id
        assert len(happened(agent, case)) == 1 + len(case.tickets) + len(case.earlier)
        assert case.must or case.must_not or case.most or case.nothing, case.id


@pytest.mark.parametrize("agent", sorted(CASES))
def test_what_must_be_found_can_be_found(agent: str) -> None:
    spec = AGENTS[agent]

    wrong = [(case.id, impossible(spec, pattern)) for case in CASES[agent] for pattern in case.must]
    assert [(case, fields) for case, fields in wrong if fields] == []


def test_a_file_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('agent = "noter"\nevent = "x"\n[[case]]\nid = "one-case"\nabout = ""\nmust = [{ says = "(" }]\n')

    with pytest.raises(ValueError, match=r"(?s)wrong\.toml.*no regular expression") as raised:
        load(path)

    assert "case.0.must.0.says" in str(raised.value)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    (tmp_path / "noter").mkdir()
    for name in ("one", "two"):
        text = 'agent = "noter"\nevent = "x"\n[[case]]\nid = "same-id"\nabout = ""\nnothing = true\n'
        (tmp_path / "noter" / f"{name}.toml").write_text(text)

    with pytest.raises(ValueError, match="same-id"):
        load_all(tmp_path)


def test_a_case_has_what_its_file_says_and_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text(
        'agent = "noter"\nevent = "x"\ndata = { date = "2026-11-20", text = "all" }\n'
        '[shared]\ntickets = [{ id = "T-1", title = "Old" }, { id = "T-2", title = "Kept" }]\n'
        '[[case]]\nid = "one-case"\nabout = ""\ndata = { text = "own" }\ntickets = [{ id = "T-1", title = "New" }]\n'
    )

    case = next(load(path).cases())

    assert case.data == {"date": "2026-11-20", "text": "own"}
    assert {ticket.id: ticket.title for ticket in case.tickets} == {"T-1": "New", "T-2": "Kept"}


def test_a_case_of_no_user_remembers_nothing_of_one() -> None:
    case = Case(id="no-user", about="", event="ticket.scan_requested", data={"date": "2026-11-20"}, user="")

    assert event_of("ticket_conflict_scanner", case).userid is None
