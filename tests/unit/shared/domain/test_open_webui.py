"""How long mirroring waits after failures, and what is known again as a chat of a run."""

from datetime import timedelta

import pytest

from shared.domain.open_webui import MOST_ATTEMPTS, is_folder_of, pause_after, run_of_chat


def test_pauses_double_up_to_half_an_hour_and_end() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, MOST_ATTEMPTS + 1)]

    assert pauses[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert pauses[-2:] == [timedelta(minutes=30), None]


@pytest.mark.parametrize("chat", [{}, {"chat": None}, {"chat": {"towpath": {}}}, {"chat": {"towpath": {"run_id": 7}}}])
def test_a_chat_without_a_mark_is_the_users_own(chat: dict[str, object]) -> None:
    assert run_of_chat(chat) is None


def test_a_folder_is_that_of_an_agent_whatever_else_it_says() -> None:
    meta = {"type": "background_agent", "agentId": "noter", "icon": "robot"}

    assert is_folder_of("noter", {"meta": meta})
    assert not is_folder_of("other", {"meta": meta})
    assert not is_folder_of("noter", {"meta": None})
