"""Dead letters: each once, counted up, decided as they were seen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.dead_letter import DeadLetter, DeadLetterKind, DeadLetterStatus
from shared.errors import NotFound
from shared.store.dead_letters import KEPT_FOR, DeadLetterStore, payload_of
from shared.store.deciding import Deciding
from shared.store.metrics import MetricsStore
from shared.store.mongo import Mongo
from tests.unit.shared.given import Document

OPEN, REDRIVEN, DISCARDED = DeadLetterStatus.OPEN, DeadLetterStatus.REDRIVEN, DeadLetterStatus.DISCARDED
# Of today, because the server deletes what has expired.
NOW = datetime.now(UTC).replace(microsecond=0)
LATER = NOW + timedelta(seconds=7)
DECIDING = Deciding("olga", LATER, "Sent by a test.")


def a_message(id: str = "dead_1", at: datetime = NOW, **facts: Any) -> DeadLetter:
    common = {"subject": "event.doc.created.acme", "payload": b"no event", "organisation": "acme"}
    return DeadLetter(id, DeadLetterKind.EVENT, "event_unreadable", "Not JSON.", at, **{**common, **facts})


def a_failure(id: str = "run_1", at: datetime = NOW, generation: int = 0) -> DeadLetter:
    return DeadLetter(id, DeadLetterKind.RUN, "internal", "A bug.", at, run_id=id, generation=generation)


@pytest.fixture
def letters(mongo: Mongo) -> DeadLetterStore:
    return DeadLetterStore(mongo.database)


async def letter_of(letters: DeadLetterStore, id: str = "dead_1") -> Document:
    return await letters.get({"_id": id})


async def test_a_message_that_comes_again_counts_up_and_remembers_when_it_came_first(letters: DeadLetterStore) -> None:
    await letters.keep([a_message(at=NOW)])
    await letters.keep([a_message(at=LATER), a_message("dead_2")])

    letter = await letter_of(letters)
    assert (letter["count"], letter["first_at"], letter["last_at"], letter["status"]) == (2, NOW, LATER, OPEN)
    assert (await letter_of(letters, "dead_2"))["count"] == 1


@pytest.mark.parametrize("payload", [b"", b"{}", "wide \u6c34 \x00".encode(), b"\xff\x00 bytes", b"$status", None])
async def test_a_message_is_given_back_byte_by_byte(letters: DeadLetterStore, payload: bytes | None) -> None:
    await letters.keep([a_message(payload=payload)])

    assert payload_of(await letter_of(letters)) == payload


async def test_the_end_of_a_run_that_is_followed_twice_is_one_failure(letters: DeadLetterStore) -> None:
    await letters.keep([a_failure()])
    await letters.decide([await letter_of(letters, "run_1")], REDRIVEN, DECIDING)
    await letters.keep([a_failure()])

    letter = await letter_of(letters, "run_1")
    assert (letter["count"], letter["status"], letter["redriven"]) == (1, REDRIVEN, 1)


async def test_a_run_that_fails_again_after_a_redrive_is_open_again(letters: DeadLetterStore) -> None:
    await letters.keep([a_failure()])
    await letters.decide([await letter_of(letters, "run_1")], REDRIVEN, DECIDING)

    await letters.keep([a_failure(at=LATER, generation=1)])

    letter = await letter_of(letters, "run_1")
    assert (letter["count"], letter["status"], letter["decided_by"]) == (2, OPEN, None)
    assert (letter["first_at"], letter["last_at"]) == (NOW, LATER)


@pytest.mark.parametrize("status", [REDRIVEN, DISCARDED])
async def test_a_decision_says_who_when_and_why(letters: DeadLetterStore, status: DeadLetterStatus) -> None:
    await letters.keep([a_message()])

    assert await letters.decide([await letter_of(letters)], status, DECIDING) == 1

    letter = await letter_of(letters)
    assert (letter["status"], letter["decided_by"], letter["decided_at"]) == (status, "olga", LATER)
    assert (letter["decision_reason"], letter["expires_at"]) == ("Sent by a test.", LATER + KEPT_FOR)


async def test_of_two_decisions_on_what_both_saw_the_first_stands(letters: DeadLetterStore) -> None:
    await letters.keep([a_message()])
    seen = await letter_of(letters)

    assert await letters.decide([seen], REDRIVEN, DECIDING) == 1
    assert await letters.decide([seen], DISCARDED, DECIDING) == 0
    assert await letters.decide([seen], REDRIVEN, DECIDING) == 0

    letter = await letter_of(letters)
    assert (letter["status"], letter["redriven"]) == (REDRIVEN, 1)


async def test_what_died_again_since_it_was_seen_stays_open(letters: DeadLetterStore) -> None:
    await letters.keep([a_message("dead_1"), a_message("dead_2")])
    redriving, discarding = await letter_of(letters, "dead_1"), await letter_of(letters, "dead_2")
    await letters.keep([a_message("dead_1"), a_message("dead_2")])

    await letters.decide([redriving], REDRIVEN, DECIDING)
    assert await letters.decide([discarding], DISCARDED, DECIDING) == 0

    redriven, discarded = await letter_of(letters, "dead_1"), await letter_of(letters, "dead_2")
    assert (redriven["status"], redriven["redriven"], redriven["decided_by"]) == (OPEN, 1, None)
    assert (discarded["status"], discarded["redriven"]) == (OPEN, 0)


async def test_only_the_open_letter_of_an_accepted_event_is_kept_without_end(letters: DeadLetterStore) -> None:
    await letters.keep([a_message(), a_message("dead_2", is_accepted=True), a_failure()])

    expiries = {letter["_id"]: letter["expires_at"] for letter in await letters.find({}, 10)}

    assert expiries == {"dead_1": NOW + KEPT_FOR, "dead_2": None, "run_1": NOW + KEPT_FOR}


async def test_a_list_begins_with_the_latest_and_leaves_the_messages_out(letters: DeadLetterStore) -> None:
    await letters.keep([a_message(str(n), at=NOW + timedelta(seconds=n)) for n in range(4)])

    latest, oldest = await letters.find({}, 3), await letters.find({}, 3, oldest_first=True)

    assert [letter["_id"] for letter in latest] == ["3", "2", "1"]
    assert [letter["_id"] for letter in oldest] == ["0", "1", "2"]
    assert all("payload" not in letter for letter in latest)


async def test_what_is_not_there_is_not_found(letters: DeadLetterStore) -> None:
    with pytest.raises(NotFound):
        await letters.get({"_id": "dead_1"})


async def test_everything_that_was_ever_kept_and_decided_is_counted(mongo: Mongo, letters: DeadLetterStore) -> None:
    await letters.keep([a_message("dead_1"), a_message("dead_2"), a_failure("run_1"), a_failure("run_2")])
    await letters.keep([a_message("dead_1"), a_failure("run_1")])
    await letters.decide(await letters.find({"kind": "run"}, 10), REDRIVEN, DECIDING)
    await letters.decide(await letters.find({"_id": "dead_2"}, 10), DISCARDED, DECIDING)

    figures = MetricsStore(mongo.database)

    assert await figures.dead_letter_totals() == {
        "kept": {"event": 3, "run": 2},
        "redriven": {"run": 2},
        "discarded": {"event": 1},
    }
    assert await figures.dead_letters() == {
        ("event", OPEN): 1,
        ("event", DISCARDED): 1,
        ("run", REDRIVEN): 2,
    }
