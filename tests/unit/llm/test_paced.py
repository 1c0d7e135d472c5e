"""A model that keeps to the limits of its lane."""

import asyncio

import pytest

from shared.domain.rate import Busy, Go
from shared.llm.errors import ModelAnswerCut, ModelLaneBusy, ModelRateLimited, ModelUnavailable
from shared.llm.paced import PacedModel, most_tokens
from shared.llm.port import Background, ModelRequest, ModelResponse, Usage
from shared.testing.model import ScriptedModel

LANE = "api.example.com/gpt-5.1"
REQUEST = ModelRequest(model="gpt-5.1", instructions="Be brief.", input="hello", max_output_tokens=100)
RESERVED = most_tokens(REQUEST)
ANSWER = ModelResponse("resp_1", "gpt-5.1", "Hi.", Usage(10, 5))


class Lanes:
    """Gives one verdict after the other, and notes what it is told."""

    def __init__(self, *verdicts: Go | Busy) -> None:
        self.verdicts = list(verdicts)
        self.reserved: list[tuple[str, int]] = []
        self.unused: list[int] = []
        self.refusals: list[float | None] = []

    async def reserve(self, name: str, tokens: int, patience_seconds: float) -> Go | Busy:
        self.reserved.append((name, tokens))
        return self.verdicts.pop(0)

    def give_back(self, name: str, tokens: int) -> None:
        self.unused.append(tokens)

    async def refuse(self, name: str, asked_seconds: float | None) -> None:
        self.refusals.append(asked_seconds)


def paced(model: ScriptedModel, lanes: Lanes) -> PacedModel:
    return PacedModel(model, lanes, "api.example.com")


async def nothing(_: str) -> None: ...


async def test_call_reserves_what_it_may_take_and_returns_what_it_did_not_use() -> None:
    lanes = Lanes(Go())

    assert await paced(ScriptedModel(ANSWER), lanes).respond(REQUEST, 1) == ANSWER

    assert lanes.reserved == [(LANE, RESERVED)]
    assert lanes.unused == [RESERVED - 15]


async def test_request_counts_with_the_limit_of_its_answer() -> None:
    assert 100 < RESERVED < 120


async def test_short_wait_is_waited() -> None:
    began = asyncio.get_running_loop().time()

    await paced(ScriptedModel(ANSWER), Lanes(Go(0.05))).respond(REQUEST, 1)

    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_busy_lane_is_an_error_that_says_when_there_is_room() -> None:
    model = ScriptedModel()

    with pytest.raises(ModelLaneBusy, match="MODEL_REQUESTS_PER_MINUTE") as caught:
        await paced(model, Lanes(Busy(7.0))).respond(REQUEST, 1)

    assert caught.value.retry_after_seconds == 7.0
    model.assert_finished()


async def test_refusal_by_the_provider_is_told_to_the_lane() -> None:
    lanes = Lanes(Go())

    with pytest.raises(ModelRateLimited):
        await paced(ScriptedModel(ModelRateLimited("No.", retry_after_seconds=3.0)), lanes).respond(REQUEST, 1)

    assert lanes.refusals == [3.0]
    assert lanes.unused == [RESERVED]


async def test_useless_answer_uses_what_it_cost() -> None:
    lanes = Lanes(Go())

    with pytest.raises(ModelAnswerCut):
        await paced(ScriptedModel(ModelAnswerCut("Cut.", Usage(10, 100))), lanes).respond(REQUEST, 1)

    assert lanes.unused == [RESERVED - 110]


async def test_call_that_may_have_been_made_keeps_its_room() -> None:
    lanes = Lanes(Go())

    with pytest.raises(ModelUnavailable):
        await paced(ScriptedModel(ModelUnavailable("Gone.")), lanes).respond(REQUEST, 1)

    assert (lanes.unused, lanes.refusals) == ([], [])


async def test_response_that_is_asked_for_again_takes_no_room() -> None:
    lanes = Lanes(Go())
    model = paced(ScriptedModel(ANSWER), lanes)
    await model.respond(REQUEST, 1, Background(None, nothing))

    await model.respond(REQUEST, 1, Background("resp_1", nothing))

    assert len(lanes.reserved) == len(lanes.unused) == 1


async def test_cancelling_goes_to_the_model() -> None:
    model = ScriptedModel(ANSWER)
    await model.respond(REQUEST, 1, Background(None, nothing))

    assert await paced(model, Lanes()).cancel("resp_1", 1) == Usage(10, 5)
    assert model.cancelled == ["resp_1"]
