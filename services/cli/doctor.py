"""`towpath doctor`: whether the installation is well, as far as the gateway can tell."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import typer
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from services.cli.gateway import gateway_in
from services.cli.options import AsJson
from services.cli.output import print_json, print_table

STALE_SECONDS = 300

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `detail` says what it is, and what to do when it is not well."""

    about: str
    is_well: bool
    detail: str


def doctor(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Ask the gateway whether its servers are there and whether the data is sound; exits with 1 when something is wrong.

    The invariants are checked by the scheduler every 30 seconds. `python -m infra.doctor` checks all of them in the
    database, and names what breaks them.
    """
    gateway = gateway_in(context)
    findings = [*readiness(gateway.probe()), *soundness(gateway.figures(), time.time())]
    is_well = all(finding.is_well for finding in findings)
    if as_json:
        print_json({"well": is_well, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(each.about, "well" if each.is_well else "wrong", each.detail) for each in findings]
        print_table(("ABOUT", "IS", "DETAIL"), rows)
    if not is_well:
        raise typer.Exit(1)


def readiness(answer: Document) -> Iterator[Finding]:
    """Yield a finding for each server that the gateway needs."""
    for server, said in answer["checks"].items():
        is_well = said == "ok"
        yield Finding(server, is_well, "answers" if is_well else f"{said}: start it, or look at its logs")


def soundness(metrics: str, now: float) -> Iterator[Finding]:
    """Yield findings about the invariants and the dead letters; now is in seconds since 1970."""
    found = _figures(metrics)
    if not found.get("towpath_server_up") or any(
        figure.value == 0 and figure.labels["server"] == "mongodb" for figure in found["towpath_server_up"]
    ):
        yield Finding("invariants", is_well=False, detail="unknown: the gateway does not reach MongoDB")
        return
    yield _checked(found.get("towpath_invariants_checked_timestamp_seconds", []), now)
    for figure in found.get("towpath_invariant_violations", []):
        if figure.value > 0:
            detail = f"{figure.value:g} violations; `python -m infra.doctor` names them"
            yield Finding(figure.labels["invariant"], is_well=False, detail=detail)
    waiting = sum(figure.value for figure in found.get("towpath_dead_letters", []) if figure.labels["status"] == "open")
    detail = f"{waiting:g} wait for a decision: towpath dead-letters list" if waiting else "none waits for a decision"
    yield Finding("dead letters", is_well=True, detail=detail)


def _checked(checked: list[Sample], now: float) -> Finding:
    if not checked:
        return Finding("invariants", is_well=False, detail="not checked yet: is a scheduler running?")
    age = max(0.0, now - checked[0].value)
    if age > STALE_SECONDS:
        return Finding("invariants", is_well=False, detail=f"last checked {age:.0f} s ago: is a scheduler running?")
    return Finding("invariants", is_well=True, detail=f"checked {age:.0f} s ago")


def _figures(text: str) -> dict[str, list[Sample]]:
    """Return the figures of an exposition of Prometheus, by name."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.name, []).append(sample)
    return found
