"""The pages say what is there."""

import re
import tomllib
from pathlib import Path

import pytest

from contracts.agents import AgentSpec
from contracts.envelope import Event
from contracts.registry import EVENT_TYPES, PLATFORM_TYPES
from contracts.streams import CONSUMERS, STREAMS
from infra.local.processes import ROOT
from services.gateway.app import ROUTERS
from shared.catalog.builtin import builtin_agents
from tests.architecture.logged import log_events
from tests.architecture.repository import everything_written, first_cells, name, page, pages, quoted, section

LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"```.*?```", re.DOTALL)
TASK = re.compile(r"\./taskw ([a-z][a-z0-9:]*)")
DEFINED_TASK = re.compile(r"^  ([a-z][a-z0-9:]*):$", re.MULTILINE)
ROUTE = re.compile(r"\b(GET|PUT|POST|DELETE|PATCH) (/[a-z][^\s`\"?]*)")
PATH = re.compile(r"^(?:contracts|shared|services|infra|tests|docs|requirements)/[\w./*-]*$")
DOTTED = re.compile(r"^[a-z_]+\.[a-z_]+$")
NOUNS = {type_.split(".")[0] for type_, _ in EVENT_TYPES}
ADR_HEADINGS = ["Context", "Decision", "Consequences", "Alternatives", "What enforces it"]


def _anchor(heading: str) -> str:
    """Return the anchor of a heading, as the forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    return {_anchor(heading) for heading in HEADING.findall(FENCED.sub("", path.read_text()))}


def _is_broken(source: Path, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = (source.parent / file).resolve() if file else source
    return not target.exists() or bool(anchor and anchor not in _anchors(target))


@pytest.mark.parametrize("path", pages(), ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    links = [link for link in LINK.findall(FENCED.sub("", path.read_text())) if "://" not in link]

    assert [link for link in links if _is_broken(path, link)] == []


def test_tasks_that_are_named_exist() -> None:
    defined = set(DEFINED_TASK.findall(page("Taskfile.yml")))

    assert set(TASK.findall(everything_written())) - defined == set()


def test_every_task_is_described() -> None:
    described = set(first_cells(section(page("CONTRIBUTING.md"), "## Start")))
    public = {task for task in DEFINED_TASK.findall(page("Taskfile.yml")) if task not in {"default", "format:check"}}

    assert described == public


def test_the_readme_lists_the_routes_that_there_are() -> None:
    there_are = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]  # every route of these routers is a method and a path
    listed = set(first_cells(section(page("README.md"), "## The API")))

    assert listed == there_are


def test_routes_that_are_named_exist() -> None:
    named = {route for path in pages() if "infra" not in path.parts for route in ROUTE.findall(path.read_text())}

    assert [f"{method} {path}" for method, path in sorted(named) if not _is_route(method, path)] == []


def _is_route(method: str, path: str) -> bool:
    return any(
        method in route.methods and route.path_regex.match(path)  # type: ignore[attr-defined]  # as above
        for router in ROUTERS
        for route in router.routes
    )


def test_every_event_type_is_described_with_what_it_requires() -> None:
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| .* \| (.*) \|$", section(page("docs/events.md"), "## The types"), re.MULTILINE
    )

    assert dict(rows) == {type_: _also_required(event) for (type_, _), event in EVENT_TYPES.items()}


def _also_required(event: type[Event]) -> str:
    if event.model_fields["type"].default in PLATFORM_TYPES:
        return "Towpath only"
    required = [field for field in ("projectid", "userid") if event.model_fields[field].is_required()]
    return ", ".join(f"`{field}`" for field in required)


def test_every_attribute_of_the_envelope_is_described() -> None:
    described = set(first_cells(section(page("docs/events.md"), "## The envelope")))

    assert described == set(Event.model_fields)


def test_events_that_are_named_exist() -> None:
    known = {type_ for type_, _ in EVENT_TYPES} | log_events()
    named = {word for word in quoted(everything_written()) if DOTTED.match(word) and word.split(".")[0] in NOUNS}

    assert named - known == set()


def test_log_events_that_an_operator_should_know_exist() -> None:
    rows = section(page("docs/operations.md"), "## Logs")

    assert {word for word in quoted(rows) if DOTTED.match(word)} - log_events() == set()


def test_every_field_of_an_agent_version_is_described() -> None:
    described = set(first_cells(section(page("docs/agents.md"), "## An Agent version")))

    assert described == set(AgentSpec.model_fields)


def test_every_built_in_agent_is_described() -> None:
    described = set(first_cells(section(page("docs/agents.md"), "## Built-in Agents")))

    assert described == {agent.key for agent in builtin_agents(900)}


def test_every_stream_and_consumer_is_described() -> None:
    described = section(page("docs/architecture.md"), "## Streams and subjects")

    assert [stream.name for stream in STREAMS if f"| {stream.name} |" not in described] == []
    assert {consumer.name for consumer in CONSUMERS} <= quoted(described)


def test_paths_that_are_named_exist() -> None:
    named = {word for word in quoted(everything_written()) if PATH.match(word)}

    assert [path for path in sorted(named) if not list(ROOT.glob(path.rstrip("/")))] == []


def test_every_direct_dependency_has_a_reason() -> None:
    project = tomllib.loads(page("pyproject.toml"))["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    direct = {re.split(r"[\[><=;! ]", requirement)[0] for requirement in [*project["dependencies"], *extras]}

    assert set(first_cells(section(page("CONTRIBUTING.md"), "## Dependencies"))) == direct


def test_decisions_are_numbered_and_listed() -> None:
    decisions = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))

    assert [decision[:4] for decision in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    assert [decision for decision in decisions if decision not in page("docs/adr/README.md")] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_a_decision_has_its_five_headings(path: Path) -> None:
    title, *headings = HEADING.findall(path.read_text())

    assert title.startswith(path.name[:4])
    assert headings == ADR_HEADINGS
