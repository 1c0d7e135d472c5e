"""GET /metrics on a real database."""

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from shared.domain.run import RunStatus
from shared.store.mongo import Mongo
from shared.store.runs import RunStore
from tests.integration.gateway.asking import Asking
from tests.integration.store.given import claimed, queued
from tests.unit.shared.given import a_new_run, a_stored_run


async def told(asking: Asking) -> dict[tuple[str, ...], float]:
    answer = await asking.ask("GET", "/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_figures_are_those_of_the_database_and_name_no_tenant(asking: Asking, mongo: Mongo) -> None:
    runs, long_ago = RunStore(mongo.database), datetime.now(UTC) - timedelta(minutes=10)
    await queued(runs, "run_1", organisation="acme-secret", queued_at=long_ago)
    await claimed(runs, "run_2")
    done = a_stored_run(RunStatus.COMPLETED, a_new_run("run_3"))
    del done["sweep_at"]
    await mongo.database["runs"].insert_one(done)
    await mongo.database["health"].insert_one(
        {"_id": "invariants", "at": long_ago, "violations": {"events_decided": 2}}
    )

    figures = await told(asking)
    text = (await asking.ask("GET", "/metrics")).text

    assert figures["towpath_runs", "medium", "queued"] == 1
    assert figures["towpath_runs", "medium", "running"] == 1
    assert ("towpath_runs", "completed", "medium") not in figures
    assert 600 <= figures["towpath_runs_queued_oldest_age_seconds", "medium"] < 700
    assert figures["towpath_invariant_violations", "events_decided"] == 2
    assert (figures["towpath_server_up", "mongodb"], figures["towpath_server_up", "nats"]) == (1, 0)
    assert "acme" not in text


async def test_scraping_often_reads_the_database_once(asking: Asking, mongo: Mongo) -> None:
    before = await told(asking)
    await queued(RunStore(mongo.database), "run_1")

    assert await told(asking) == before
