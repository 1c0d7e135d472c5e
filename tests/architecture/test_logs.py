"""What the services say in their logs."""

import ast
import re

from tests.architecture.logged import log_calls, log_events

EVENT = re.compile(r"^[a-z_]+(\.[a-z_]+)+$")


def test_every_log_event_is_a_literal() -> None:
    assert [place for place, event in log_calls() if not isinstance(event, ast.Constant)] == []


def test_every_log_event_is_a_noun_and_a_verb() -> None:
    assert {event for event in log_events() if not EVENT.match(event)} == set()


def test_the_events_that_the_search_must_find_are_found() -> None:
    assert {"service.started", "run.claimed", "run.completed", "library.logged", "agent.seeded"} <= log_events()
