"""A run as people read it in a chat."""

from services.scheduler.open_webui.thread import thread_of
from shared.domain.run import RunStatus
from shared.domain.transcript import Said, ToolEvent
from tests.unit.shared.given import LATER, NOW, a_stored_run

ANSWER = '{"coaching":"Ask Mara.","next_steps":[{"title":"Mail","reason":"Friday"}],"wins":[]}'


def test_rounds_are_told_in_words_and_lists_and_proposals_at_last() -> None:
    run = a_stored_run(RunStatus.COMPLETED)
    looked = Said("fast-1", "", NOW, (ToolEvent(1, "recent_events", '{"limit":20}', "[]", None),))

    thread = thread_of(
        run, "Noter", {"data": {"today": "The export."}}, [looked, Said("fast-1", ANSWER, LATER, ())], None
    )

    asked, called, answered, proposed = [message.text for message in thread.messages]
    assert asked == "checkin.submitted: doc plan\n\n**Today**\nThe export."
    assert called == '**Called**\n- recent_events {"limit":20}'
    assert answered == "**Coaching**\nAsk Mara.\n\n**Next steps**\n- title: Mail; reason: Friday"
    assert proposed == f"**Proposals to decide**\n- {run['effects'][0]['title']}"
    assert [message.role for message in thread.messages] == ["user", "assistant", "assistant", "assistant"]


def test_a_failed_run_says_why() -> None:
    thread = thread_of(a_stored_run(RunStatus.FAILED), "Noter", None, [], None)

    assert thread.messages[1].text == "The run failed: model_refused. The model declined."


def test_a_run_without_an_answer_says_that() -> None:
    thread = thread_of(a_stored_run(RunStatus.COMPLETED, effects=[]), "Noter", None, [], None)

    assert [message.text for message in thread.messages] == ["checkin.submitted: doc plan", "Nothing to say."]


def test_an_answer_that_is_no_object_stays_as_it_was_said() -> None:
    thread = thread_of(a_stored_run(RunStatus.COMPLETED, effects=[]), "Noter", None, [Said("m", "[1]", NOW, ())], None)

    assert thread.messages[1].text == "[1]"
