"""The scripted model's own promises: nothing unplayed, nothing extra."""

import pytest

from shared.llm.errors import ModelUnavailable
from shared.llm.port import Background, ModelRequest
from shared.testing.model import ScriptedModel

REQUEST = ModelRequest(model="gpt-5.1", instructions="", input="hello")


async def nothing(_: str) -> None: ...


async def test_steps_are_played_in_order_and_requests_are_kept() -> None:
    model = ScriptedModel("first", ModelUnavailable("gone"), "second")

    texts = [(await model.respond(REQUEST, 1)).text]
    with pytest.raises(ModelUnavailable):
        await model.respond(REQUEST, 1)
    texts.append((await model.respond(REQUEST, 1)).text)

    assert texts == ["first", "second"]
    assert model.requests == [REQUEST] * 3
    model.assert_finished()


async def test_response_that_is_asked_for_again_is_no_step() -> None:
    model = ScriptedModel("first", "second")
    first = await model.respond(REQUEST, 1, Background(None, nothing))

    again = await model.respond(REQUEST, 1, Background(first.id, nothing))
    second = await model.respond(REQUEST, 1, Background(None, nothing))

    assert [again.text, second.text] == ["first", "second"]
    assert model.retrieved == [first.id]
    model.assert_finished()


async def test_unplayed_step_is_a_failure() -> None:
    model = ScriptedModel("first", "second")

    await model.respond(REQUEST, 1)

    with pytest.raises(AssertionError, match="1 calls"):
        model.assert_finished()


async def test_extra_call_fails_at_once_and_at_the_end() -> None:
    model = ScriptedModel()

    with pytest.raises(AssertionError, match="call 1"):
        await model.respond(REQUEST, 1)

    with pytest.raises(AssertionError, match="1 calls"):
        model.assert_finished()
