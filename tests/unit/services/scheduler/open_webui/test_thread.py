"""A run as a talk."""

from services.scheduler.open_webui.thread import thread_of
from shared.domain.run import RunStatus
from tests.unit.shared.given import a_stored_run


def test_what_was_answered_is_told_in_words_and_lists() -> None:
    run = a_stored_run(RunStatus.COMPLETED)
    output = {"coaching": "Ask Mara.", "next_steps": [{"title": "Mail", "reason": "Friday"}], "wins": []}

    thread = thread_of(run, "Noter", output, None)

    started, answered = thread.messages
    assert (started.role, started.text) == ("user", "checkin.submitted: doc plan")
    assert answered.text.startswith("**Coaching**\nAsk Mara.\n\n**Next steps**\n- title: Mail; reason: Friday")
    assert "Wins" not in answered.text
    assert f"- {run['effects'][0]['title']}" in answered.text


def test_a_failed_run_says_why() -> None:
    thread = thread_of(a_stored_run(RunStatus.FAILED), "Noter", None, None)

    assert thread.messages[1].text == "The run failed: model_refused. The model declined."


def test_a_run_without_an_answer_says_that() -> None:
    thread = thread_of(a_stored_run(RunStatus.COMPLETED, effects=[]), "Noter", None, None)

    assert thread.messages[1].text == "Nothing to say."
