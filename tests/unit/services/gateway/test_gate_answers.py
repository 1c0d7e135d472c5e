"""Waiting for the gate, within bounds."""

import asyncio

import orjson

from services.gateway.gate_answers import GateAnswers

PATIENT = 30.0
DECISIONS = [{"agent_key": "noter"}]


async def test_an_answer_goes_to_everybody_who_waits_for_that_event() -> None:
    answers = GateAnswers()
    one, other = answers.expect(["ev_1", "ev_2"]), answers.expect(["ev_1"])

    answers.take(orjson.dumps({"ev_1": DECISIONS, "ev_2": []}))

    assert await answers.collect(one, PATIENT) == {"ev_1": DECISIONS, "ev_2": []}
    assert await answers.collect(other, PATIENT) == {"ev_1": DECISIONS}


async def test_what_does_not_come_in_time_is_left_out_and_forgotten() -> None:
    answers = GateAnswers()
    futures = answers.expect(["ev_1", "ev_2"])
    answers.take(orjson.dumps({"ev_1": DECISIONS}))

    assert await answers.collect(futures, 0.001) == {"ev_1": DECISIONS}
    assert answers._expected == {}


async def test_one_that_gives_up_leaves_the_answer_to_another() -> None:
    answers = GateAnswers()
    impatient, patient = answers.expect(["ev_1"]), answers.expect(["ev_1"])
    await answers.collect(impatient, 0.001)

    answers.take(orjson.dumps({"ev_1": DECISIONS}))

    assert await answers.collect(patient, PATIENT) == {"ev_1": DECISIONS}


async def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    answers = GateAnswers()

    answers.take(orjson.dumps({"ev_1": DECISIONS}))

    assert await answers.collect(answers.expect(["ev_1"]), 0.001) == {}


async def test_an_answer_after_its_caller_went_away_is_not_an_error() -> None:
    answers = GateAnswers()
    collecting = asyncio.create_task(answers.collect(answers.expect(["ev_1"]), PATIENT))
    await asyncio.sleep(0)

    collecting.cancel()
    await asyncio.wait([collecting])
    answers.take(orjson.dumps({"ev_1": DECISIONS}))

    assert answers._expected == {}
