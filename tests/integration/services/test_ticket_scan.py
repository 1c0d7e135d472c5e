"""The scan of tickets by the runner's own handler, with the offline model and vectors on a real MongoDB."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from contracts.agents import CallMode, ModelTier
from infra.offline_model.server import serving
from infra.scan.planting import MadeTicket, plant
from infra.scan.scanning import Scanner, reached, score
from services.runner.agents.indexing import NoProject
from services.runner.agents.limits import RequestLimitReached
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.ticket_scan.handler import TicketScan, make_ticket_scan
from services.runner.agents.ticket_scan.judging import Judge
from services.runner.recorder import StepRecorder
from services.runner.tools.tool import stores_of
from services.runner.work import Attempt
from shared.catalog.ticket_conflict_scanner import agent
from shared.clock import utc_now
from shared.domain.run import Claim, RunStatus
from shared.domain.ticket import TicketFact
from shared.llm.errors import ModelUnavailable
from shared.llm.openai_client import OpenAIModel
from shared.retrieval.local import LocalVectors
from shared.retrieval.stored import StoredRetrieval
from shared.store.document_search import DocumentSearch
from shared.store.documents import DocumentStore
from shared.store.mongo import Mongo
from shared.store.steps import StepStore
from shared.store.tickets import TicketStore
from shared.testing.embedder import WordEmbedder
from shared.testing.model import ScriptedModel
from shared.testing.retrieval import MemoryRetrieval
from tests.integration.services.agents import said
from tests.unit.shared.given import NOW

MODELS = {ModelTier.REASONING: "deep", ModelTier.FAST: "quick"}
MANY_BYTES = 64 * 1024 * 1024


@pytest.fixture
async def scanner(mongo: Mongo) -> AsyncIterator[Scanner]:
    """A scanner on the offline model, with the retrieval of a runner."""
    async with serving() as address:
        model = OpenAIModel("offline", f"{address}/v1", utc_now)
        embedder = model.embedder("text-embedding-3-small", 256)
        search = DocumentSearch(mongo.database)
        vectors = LocalVectors(search, embedder.space, MANY_BYTES, utc_now)
        retrieval = StoredRetrieval(DocumentStore(mongo, embedder.space, utc_now), search, vectors)
        yield Scanner(mongo, model, MODELS, embedder, retrieval, 60.0)
        await model.close()


async def test_planted_pairs_are_found_in_few_calls_and_not_asked_about_again(scanner: Scanner) -> None:
    planted = plant(300, 12, 6, seed=1)
    await scanner.tell(planted.tickets, NOW)

    first = await scanner.scan()
    again = await scanner.scan()
    changed = min(map(min, planted.duplicates))
    ticket = next(each for each in planted.tickets if each.id == changed)
    await scanner.tell([replace(ticket, title=f"{ticket.title} today")], utc_now())
    third = await scanner.scan()

    assert reached(first, planted) >= 0.9
    assert min(score(first.duplicates, planted.duplicates)) >= 0.5
    assert min(score(first.conflicts, planted.conflicts)) >= 0.8
    assert first.figures["model_calls"] <= 6
    assert first.figures["embedding_calls"] == 2
    assert (again.figures["model_calls"], again.figures["embedding_calls"]) == (0, 0)
    assert (again.duplicates, again.figures["known"]) == (frozenset(), first.figures["compared"])
    assert third.figures["changed"] == 1
    assert any(changed in pair for pair in third.asked)
    assert all(changed in pair for pair in third.asked & first.asked)


class Project:
    """A project with a few tickets, scanned by a scripted model."""

    def __init__(self, mongo: Mongo) -> None:
        self.mongo = mongo
        self.embedder = WordEmbedder()
        self.retrieval = MemoryRetrieval(utc_now)

    async def tell(self, *tickets: MadeTicket, closed: bool = False) -> None:
        await TicketStore(self.mongo.database).apply(
            [
                TicketFact("acme", "apollo", each.id, {"ticket_id": each.id, "title": each.title}, closed, each.id, NOW)
                for each in tickets
            ]
        )

    def handler(self, model: ScriptedModel) -> TicketScan:
        judge = Judge(ModelCalls(model, 5.0, CallMode.PLAIN), MODELS)
        stores = stores_of(self.mongo.database)
        return make_ticket_scan(judge, stores.tickets, stores.pairs, self.retrieval, self.embedder, 5.0)

    def attempt(self, number: int = 1, run: str = "run_1", target: str = "ticket_conflicts", **data: Any) -> Attempt:
        claim = Claim(run, number, f"runner-{number}")
        whose = {"organisation": "acme", "project": "apollo", "user": None}
        return Attempt(
            claim=claim,
            run={"_id": run, **whose, "target": {"type": target, "id": "apollo"}},
            spec=agent(2),
            event={"id": "scan", "type": "ticket.scan_requested", "data": data},
            steps=StepRecorder(StepStore(self.mongo.database), claim, lambda: NOW),
        )


def made(number: int, title: str) -> MadeTicket:
    return MadeTicket(f"T-{number}", title, "")


BLURRED, AGAIN, OTHER = made(1, "Barcode is blurred"), made(2, "The barcode is blurred"), made(3, "Refund a crossing")


def judged(*verdicts: str) -> dict[str, Any]:
    return {
        "judgements": [
            {"pair": number, "verdict": verdict, "reasoning": "They say so.", "confidence": "high"}
            for number, verdict in enumerate(verdicts, start=1)
        ]
    }


@pytest.fixture
async def project(mongo: Mongo) -> Project:
    project = Project(mongo)
    await project.tell(BLURRED, AGAIN)
    return project


async def test_a_duplicate_becomes_a_proposal_with_the_events_that_told_of_it(project: Project) -> None:
    model = ScriptedModel(said(judged("duplicate")))

    done = await project.handler(model)(project.attempt(target="daily_session"))

    duplicate, update = done.effects
    assert duplicate["change"] == {"ticket_ids": ["T-1", "T-2"], "keep": "T-1"}
    assert [(each["type"], each["id"]) for each in duplicate["evidence"]] == [("event", "T-1"), ("event", "T-2")]
    assert update["kind"] == "session_update"
    assert done.output["summary"] in update["change"]["text"]


async def test_a_lost_attempt_is_taken_up_without_paying_again(project: Project) -> None:
    failing = ScriptedModel(ModelUnavailable("gone"))
    with pytest.raises(ModelUnavailable):
        await project.handler(failing)(project.attempt(1))
    embedded = list(project.embedder.calls)

    first = await project.handler(ScriptedModel(said(judged("duplicate"))))(project.attempt(2))
    resumed = await project.handler(ScriptedModel())(project.attempt(3))

    assert resumed == first
    assert project.embedder.calls == embedded


async def test_an_answer_that_lacks_pairs_is_corrected_once(project: Project) -> None:
    model = ScriptedModel(said({"judgements": []}), said(judged("conflict")))

    done = await project.handler(model)(project.attempt())

    assert [each["ticket_ids"] for each in done.output["conflicts"]] == [["T-1", "T-2"]]
    assert "lacks the pairs 1" in str(model.requests[1].input[-1])
    model.assert_finished()


async def test_what_no_answer_says_anything_of_is_left_for_the_next_scan(project: Project) -> None:
    silent = ScriptedModel(said({"judgements": []}), said("nonsense"))
    done = await project.handler(silent)(project.attempt())
    await project.mongo.database["runs"].insert_one({"_id": "run_1", "status": RunStatus.COMPLETED})

    asked = ScriptedModel(said(judged("neither")))
    again = await project.handler(asked)(project.attempt(run="run_2"))

    assert (done.output["figures"]["left"], done.output["figures"]["compared"]) == (1, 0)
    assert again.output["figures"]["compared"] == 1
    asked.assert_finished()


async def test_a_limit_before_anything_was_judged_ends_the_run(project: Project) -> None:
    attempt = project.attempt()
    limits = attempt.spec.limits.model_copy(update={"request_limit": 1})
    attempt.spec = attempt.spec.model_copy(update={"limits": limits})

    with pytest.raises(RequestLimitReached):
        await project.handler(ScriptedModel(said({"judgements": []})))(attempt)


async def test_only_what_concerns_the_tickets_that_were_named_is_asked(project: Project) -> None:
    await project.tell(OTHER)
    model = ScriptedModel(said(judged("neither", "neither")))

    await project.handler(model)(project.attempt(ticket_ids=["T-3"]))

    asked = str(model.requests[0].input)
    assert "T-3" in asked
    assert '"T-1",\\n        "T-2"' not in asked


async def test_a_closed_ticket_is_not_compared_and_its_vector_is_gone(project: Project) -> None:
    await project.handler(ScriptedModel(said(judged("neither"))))(project.attempt())
    await project.tell(AGAIN, closed=True)

    done = await project.handler(ScriptedModel())(project.attempt(run="run_2"))

    assert done.output["figures"]["tickets"] == 1
    assert await project.retrieval.known("acme", "apollo", [AGAIN.title]) == {}


async def test_a_replay_remembers_no_verdicts(project: Project) -> None:
    attempt = project.attempt()
    attempt.run["replay"] = {"id": "rpl_1", "of": "run_0"}

    await project.handler(ScriptedModel(said(judged("duplicate"))))(attempt)

    assert await project.mongo.database["ticket_pairs"].count_documents({}) == 0


async def test_without_a_project_there_is_nothing_to_scan(project: Project) -> None:
    attempt = project.attempt()
    attempt.run["project"] = None

    with pytest.raises(NoProject, match="run_1"):
        await project.handler(ScriptedModel())(attempt)
