"""The history of a user as a model is shown it."""

from typing import Any

import orjson

from services.runner.agents.history import MOST_BYTES, entries_of, history_text, is_of_session


def turn(number: int, *texts: str, session: str = "s-1") -> dict[str, Any]:
    messages = [{"role": "user", "text": text} for text in texts]
    return stored(number, "chat.turn_completed", {"session_id": session, "messages": messages})


def stored(number: int, type_: str, data: Any) -> dict[str, Any]:
    return {
        "accepted_at": f"2026-11-20T09:{number:02}:00Z",
        "type": type_,
        "json": orjson.dumps({"data": data}).decode(),
    }


def shown(text: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = orjson.loads(text[text.index("[") :])
    return entries


def test_each_message_is_an_entry_and_every_other_event_is_one() -> None:
    latest_first = [turn(2, "three", "four"), stored(1, "checkin.submitted", {"today": "two"}), turn(0, "one")]

    text = history_text(latest_first, None, has_more=False)

    assert text.startswith("[")
    told = [each.get("text") or each["data"]["today"] for each in shown(text)]
    assert told == ["one", "two", "three", "four"]
    assert entries_of(latest_first[0])[0]["role"] == "user"


def test_the_latest_entries_are_kept_when_only_so_many_are_wanted() -> None:
    latest_first = [turn(number, f"a{number}", f"b{number}") for number in (3, 2, 1)]

    assert [each["text"] for each in shown(history_text(latest_first, 3, has_more=False))] == ["b2", "a3", "b3"]


def test_what_does_not_fit_is_left_out_from_the_oldest_on_and_counted() -> None:
    latest_first = [turn(number % 60, f"{number} " + "x" * 4_000) for number in range(40)]

    text = history_text(latest_first, None, has_more=False)

    kept = shown(text)
    assert len(text) < MOST_BYTES + 1_000
    assert kept[-1]["text"].startswith("0 ")
    assert text.startswith(f"({40 - len(kept)} older entries are left out.)\n")
    assert history_text(latest_first, None, has_more=True).startswith(f"({40 - len(kept)} or more older entries")
    assert history_text([], None, has_more=True).startswith("(Some older entries are left out.)")


def test_one_huge_entry_is_cut_and_says_so() -> None:
    text = history_text([turn(0, "y" * 200_000)], None, has_more=False)

    (entry,) = shown(text)
    assert "bytes were cut out here" in entry["cut"]
    assert len(text) < 10_000


def test_an_event_is_of_the_session_that_its_data_names() -> None:
    assert is_of_session(turn(0, "one", session="s-2"), "s-2")
    assert not is_of_session(turn(0, "one"), "s-2")
    assert not is_of_session(stored(0, "custom", None), "s-2")
