"""Which letter something that died is kept under."""

from shared.domain.dead_letter import DeadLetterKind, letters_of_failures, message_letter_id
from shared.domain.run import RunStatus
from tests.unit.shared.given import a_stored_run


def test_the_same_message_is_the_same_letter_and_another_is_another() -> None:
    first = message_letter_id("event.doc.created.acme", b"\xff no event")

    assert message_letter_id("event.doc.created.acme", b"\xff no event") == first
    assert message_letter_id("event.doc.created.acme", b"\xfe no event") != first
    assert message_letter_id("event.doc.created.other", b"\xff no event") != first


def test_only_failures_have_a_letter_and_it_says_what_the_run_says() -> None:
    failed = {
        **a_stored_run(RunStatus.FAILED),
        "error": {"code": "output_invalid", "detail": "No such field."},
        "redriven": 2,
    }

    (letter,) = letters_of_failures([a_stored_run(RunStatus.COMPLETED), failed, a_stored_run(RunStatus.CANCELLED)])

    assert (letter.id, letter.run_id, letter.kind) == (failed["_id"], failed["_id"], DeadLetterKind.RUN)
    assert (letter.code, letter.reason, letter.generation) == ("output_invalid", "No such field.", 2)
    assert (letter.organisation, letter.agent_key) == (failed["organisation"], failed["agent_key"])
    assert letter.at == failed["finished_at"]
