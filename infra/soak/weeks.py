"""Lives the days: starts everything, keeps the load up, and measures at the end of each day."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from infra.bench.scale import QUICK
from infra.bench.site import Needs, Site, opened
from infra.soak.calendar import Calendar
from infra.soak.events import AGENTS, ORGANISATION, mixed
from infra.soak.figures import Day, Kind, Quantity, judge
from infra.soak.load import Load
from infra.soak.measuring import measure
from infra.soak.report import Weeks
from shared.clock import utc_now
from shared.doctor.checks import CHECKS
from shared.doctor.examination import Examination
from shared.settings import ServiceSettings
from shared.store.agents import AgentStore
from shared.store.inspection import Inspection
from shared.store.mongo import Mongo

_ROLES: Final = ("backend", "organisation_admin")
_DECIDE_EVERY_DAYS: Final = 0.25
_SETTLE_WITHIN_SECONDS: Final = 60.0
_GRACE: Final = timedelta(seconds=5)
_RUNS: Final = Quantity(Kind.DOCUMENTS, "runs")

Say = Callable[[str], None]


class ProcessDied(Exception):
    """A process of the platform ended, so the weeks mean nothing."""


async def live(calendar: Calendar, per_second: float, tolerance: float, folder: Path, say: Say) -> Weeks:
    """Live all days on a platform of one's own in the folder, and judge them."""
    needs = Needs(environment=tuple(calendar.environment().items()))
    async with opened(needs, QUICK, folder) as site:
        for spec in AGENTS:
            await AgentStore(site.database).publish(spec, "soak", utc_now())
        token = site.stack.token(ORGANISATION, "ops", _ROLES)
        async with Load(site.stack.gateway_url, token) as load:
            await load.have_refused(str(site.stack.settings.offline_model_url).removesuffix("/v1"))
            days = await _days(site, load, calendar, per_second, say)
            await load.decide_all()
        async with asyncio.timeout(_SETTLE_WITHIN_SECONDS):
            await site.until_settled()
        violations = await _violations(site.stack.mongodb_url)
    return Weeks(calendar, days, load.counts, judge(days, tolerance), violations)


async def _days(site: Site, load: Load, calendar: Calendar, per_second: float, say: Say) -> Sequence[Day]:
    days: list[Day] = []
    is_over = asyncio.Event()
    publishing = asyncio.create_task(load.publish(mixed(), per_second, is_over))
    deciding = asyncio.create_task(load.decide(_DECIDE_EVERY_DAYS * calendar.day_seconds))
    try:
        for number in range(1, calendar.days + 1):
            await asyncio.wait(
                (publishing, deciding), timeout=calendar.day_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            _raise_failures(site, (publishing, deciding))
            days.append(await measure(site.database, site.stack.nats_url, site.pids()))
            say(f"day {number} of {calendar.days}: {days[-1].get(_RUNS, 0):,.0f} runs stored")
        is_over.set()
        await publishing
    finally:
        for task in (publishing, deciding):
            task.cancel()
        await asyncio.wait((publishing, deciding))
    return days


def _raise_failures(site: Site, working: Sequence[asyncio.Task[None]]) -> None:
    for task in working:
        if task.done():
            task.result()
    for death in site.stack.deaths:
        raise ProcessDied(death)


async def _violations(mongodb_url: str) -> Mapping[str, Sequence[str]]:
    """Ask the doctor; a check without an answer counts as broken."""
    mongo = Mongo(ServiceSettings(mongodb_url=mongodb_url))
    try:
        await asyncio.sleep(_GRACE.total_seconds())
        diagnosis = await Examination(Inspection(mongo), _GRACE, 5, 30.0, 1.0).examine(CHECKS)
    finally:
        mongo.close()
    broken = {name: finding.ids for name, finding in diagnosis.findings.items() if finding.count}
    return {**broken, **dict.fromkeys(diagnosis.unknown, ("no answer",))}
