"""What the end of a demo shows of single answers."""

import pytest
from rich.console import Console

from infra.demo.chat import continued
from infra.demo.client import GatewayRefused, Json
from infra.demo.coaching import latest_of
from infra.demo.observation import Run
from infra.demo.script import Person

ADA = Person("acme", "ada")


def message(text: str, **metadata: str) -> Json:
    return {"role": "assistant", "text": text, "metadata": metadata}


def test_a_chat_is_shown_from_the_message_before_its_continuation() -> None:
    messages = [message("Hello."), message("It builds."), message("It is built.", job_id="build-7"), message("Bye.")]
    console = Console(width=100, force_terminal=False)

    with console.capture() as captured:
        console.print(continued({"session_id": "chat-1", "messages": messages}))

    shown = captured.get()
    assert "Session chat-1: continued when job build-7 had ended" in shown
    assert ("It builds." in shown, "It is built." in shown) == (True, True)
    assert ("Hello." in shown, "Bye." in shown) == (False, False)


def test_a_chat_that_was_not_continued_is_a_trouble() -> None:
    with pytest.raises(GatewayRefused, match="session 'chat-1' was not continued"):
        continued({"session_id": "chat-1", "messages": [message("Hello.")]})


def test_the_latest_run_of_a_person_is_found() -> None:
    runs = [
        Run("run_1", "noter", "acme", "ada", "completed"),
        Run("run_2", "noter", "acme", "ada", "completed"),
        Run("run_3", "noter", "acme", "bob", "completed"),
        Run("run_4", "other", "acme", "ada", "completed"),
    ]

    assert latest_of(runs, "noter", ADA) == runs[1]
    assert latest_of(runs, "noter", Person("globex", "ada")) is None
