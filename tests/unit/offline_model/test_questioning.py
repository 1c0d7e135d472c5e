"""Questions about a user, asked of the rules as the runner asks them."""

from typing import Any

import orjson

from contracts.agents import MemoryOwner
from contracts.queries import Query
from infra.offline_model.answers import json_answer
from services.runner.agents.asking import INSIGHT, MERGED, merge_text, question_text
from services.runner.agents.history import history_text
from shared.domain.effects.basis import SeenBlock

MESSAGES = [
    {"role": "user", "text": "I am blocked by the missing transcript. I prefer short feedback."},
    {"role": "assistant", "text": "I prefer long feedback."},
]
TURN = {
    "accepted_at": "2026-11-20T09:00:00Z",
    "type": "chat.turn_completed",
    "json": orjson.dumps({"data": {"session_id": "s", "messages": MESSAGES}}).decode(),
}
QUERY = Query(target="journey.blockers", question="What keeps them from going on?")


def answered(query: Query, *, remembered: str = "", has_more: bool = False) -> dict[str, Any]:
    seen = [SeenBlock(MemoryOwner.USER, "ada", "journey", 1, {"blockers": remembered})] if remembered else []
    history = history_text([TURN], None, has_more=has_more)
    answer: dict[str, Any] = orjson.loads(json_answer(question_text(query, seen, history), INSIGHT))
    return answer


def test_the_history_answers_with_the_words_of_the_user_also_when_it_is_cut() -> None:
    expected = {
        "insight": "I am blocked by the missing transcript.",
        "confidence": "high",
        "reasoning": 'The history says: "I am blocked by the missing transcript."',
    }

    assert answered(QUERY) == expected
    assert answered(QUERY, has_more=True) == expected


def test_another_question_gets_another_answer() -> None:
    query = QUERY.model_copy(update={"question": "Which style do they prefer?"})

    assert answered(query)["insight"] == "I prefer short feedback."


def test_what_is_remembered_or_not_said_is_no_insight() -> None:
    assert answered(QUERY, remembered="I am blocked by the missing transcript.")["insight"] == ""
    assert answered(QUERY.model_copy(update={"question": "What did they decide?"}))["insight"] == ""


def test_an_insight_is_merged_into_the_text_once() -> None:
    def merged(current: str) -> Any:
        return orjson.loads(json_answer(merge_text(QUERY, current, "Is stuck."), MERGED))["merged_text"]

    assert merged("Writes\nat night.") == "Writes\nat night.\nIs stuck."
    assert merged("Is stuck. Waits.") == "Is stuck. Waits."
