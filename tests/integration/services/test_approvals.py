"""An approved change goes to the product once, whatever is lost on the way."""

import pytest
from nats.aio.client import Client

from contracts.registry import parse_json
from contracts.streams import EVENTS
from services.gateway.approvals import tell_approved
from shared.domain.projection import proposals_of
from shared.domain.run import RunStatus
from shared.messaging.publisher import Publisher
from shared.store.deciding import Deciding
from shared.store.mongo import Document, Mongo
from tests.integration.messaging.looking import count_behind, messages_of
from tests.integration.services.sweeping import SECOND, Bench
from tests.unit.shared.given import a_memory_effect, a_stored_run, a_ticket_effect

LAST = "event.proposal.approved.last"


@pytest.fixture
def bench(mongo: Mongo, publisher: Publisher, client: Client) -> Bench:
    return Bench(mongo, publisher, client)


async def approved(bench: Bench, effect: Document) -> Document:
    """Propose what a run asks for, and approve it."""
    run = a_stored_run(RunStatus.COMPLETED, effects=[effect])
    (proposal,) = proposals_of(run)
    await bench.proposals.project([{**proposal, "created_at": bench.clock.now}])
    return await bench.proposals.approve(proposal["_id"], Deciding("olga", bench.clock.now))


async def test_an_approval_that_was_never_published_is_told_by_the_sweep(client: Client, bench: Bench) -> None:
    proposal = await approved(bench, a_ticket_effect())

    published = []
    for delay in (0, 3, 0):
        bench.clock.now += delay * SECOND
        published.append(await bench.events.sweep())

    assert published == [0, 1, 0]
    ((subject, body, _),) = await messages_of(client, EVENTS.name, 1)
    assert subject == "event.proposal.approved.acme"
    event = parse_json(body)
    assert (event.data.proposal_id, event.data.change) == (proposal["_id"], a_ticket_effect()["change"])


async def test_however_often_it_is_approved_its_event_is_in_the_stream_once(
    client: Client, publisher: Publisher, bench: Bench
) -> None:
    proposal = await approved(bench, a_ticket_effect())

    for _ in range(3):
        again = await bench.proposals.approve(proposal["_id"], Deciding("ben", bench.clock.now))
        await tell_approved(publisher, again)

    assert again == proposal
    assert await count_behind(client, EVENTS.name, LAST) == 1


async def test_memory_is_carried_out_here_and_not_told(client: Client, publisher: Publisher, bench: Bench) -> None:
    await tell_approved(publisher, await approved(bench, a_memory_effect()))

    bench.clock.now += 3 * SECOND
    assert await bench.events.sweep() == 0
    assert await count_behind(client, EVENTS.name, LAST) == 0
