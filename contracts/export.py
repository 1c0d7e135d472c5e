"""Writes the JSON Schema of every event and kind of proposal to `contracts/schemas`, or checks that it is written.

`python -m contracts.export` writes; with `--check` it changes nothing and names every file that is not in order.
The recorded examples are never written: an example shows what a released version sent, so it must go on parsing.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic.json_schema import GenerateJsonSchema

from contracts.channels import EVENTS, RUN_EVENTS
from contracts.effects import SHAPES, EffectKind
from contracts.envelope import EXTENSION_NAME, Event
from contracts.registry import EVENT_TYPES, PLATFORM_TYPES, EventRefused, parse_json

SCHEMAS: Final = Path(__file__).parent / "schemas"

_INDEX: Final = Path("events.json")
_EVENTS: Final = Path("events")
_EXAMPLES: Final = Path("examples")
_PROPOSALS: Final = Path("proposals")


def schema_path(type: str, version: str) -> Path:
    """Return where the schema of an event is, below the folder of schemas."""
    return _EVENTS / f"{type}.v{version}.json"


def example_path(type: str, version: str) -> Path:
    """Return where the recorded example of an event is, below the folder of schemas."""
    return _EXAMPLES / f"{type}.v{version}.json"


def event_schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of an event class as a publisher meets it.

    Pydantic does not require what has a default and does not bound the names of extension attributes; the wire does.
    """
    schema = event.model_json_schema()
    type_, version = event.model_fields["type"].default, event.model_fields["dataversion"].default
    schema["required"] = ["specversion", "type", *schema["required"]]
    schema["propertyNames"] = {"pattern": EXTENSION_NAME}
    identity = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:towpath:event:{type_}:{version}"}
    return identity | schema


def proposal_schema(kind: EffectKind) -> dict[str, Any]:
    """Return the JSON Schema of what an answer says to propose something of this kind."""
    identity = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:towpath:proposal:{kind}"}
    return identity | SHAPES[kind].model_json_schema()


def generated() -> dict[Path, bytes]:
    """Return the content of every file that this module writes, by its path below the folder of schemas."""
    files = {schema_path(*key): _as_file(event_schema(event)) for key, event in EVENT_TYPES.items()}
    files |= {_PROPOSALS / f"{kind}.json": _as_file(proposal_schema(kind)) for kind in SHAPES}
    return files | {_INDEX: _as_file({"events": [_entry(*key) for key in sorted(EVENT_TYPES)]})}


def write(folder: Path) -> None:
    """Write the generated files, and remove schemas of events that no longer exist."""
    files = generated()
    for part in (_EVENTS, _PROPOSALS):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for path in _stale(folder, files):
        (folder / path).unlink()
    for path, content in files.items():
        (folder / path).write_bytes(content)


def problems(folder: Path) -> list[str]:
    """Return one line for each file that is missing, out of date, left over, or an example that does not parse."""
    files = generated()
    return [
        *(line for path, content in files.items() if (line := _drift(folder / path, path, content))),
        *(f"{path} belongs to no event or proposal" for path in _stale(folder, files)),
        *_example_problems(folder),
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = ArgumentParser(prog="python -m contracts.export", description="Export the JSON Schema of every event.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a file is not as it should be")
    parser.add_argument("--folder", type=Path, default=SCHEMAS, help="the folder of schemas")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.folder)
    found = problems(options.folder)
    for line in found:
        sys.stderr.write(f"{options.folder.name}/{line}\n")
    if found and options.check:
        sys.stderr.write("Run `python -m contracts.export` and commit what it writes.\n")
    return 1 if found else 0


def _entry(type: str, version: str) -> dict[str, str]:
    return {
        "type": type,
        "dataversion": version,
        "description": EVENT_TYPES[type, version].__doc__ or "",
        "published_by": "towpath" if type in PLATFORM_TYPES else "backend",
        "subject": _subject(type),
        "schema": str(schema_path(type, version)),
        "example": str(example_path(type, version)),
    }


def _subject(type: str) -> str:
    if type in RUN_EVENTS.events:
        return RUN_EVENTS.address
    return EVENTS.address.replace("{type}", type)


def _as_file(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _stale(folder: Path, files: dict[Path, bytes]) -> list[Path]:
    present = (
        path.relative_to(folder) for part in (_EVENTS, _PROPOSALS) for path in sorted((folder / part).glob("*.json"))
    )
    return [path for path in present if path not in files]


def _drift(file: Path, path: Path, content: bytes) -> str | None:
    if not file.exists():
        return f"{path} is missing"
    return None if file.read_bytes() == content else f"{path} is out of date"


def _example_problems(folder: Path) -> list[str]:
    expected = {example_path(*key): key for key in EVENT_TYPES}
    present = {path.relative_to(folder) for path in (folder / _EXAMPLES).glob("*.json")}
    checked = (_example_problem(folder, path, expected[path]) for path in sorted(present & expected.keys()))
    return [
        *(f"{path} is missing: record one event of the type" for path in sorted(expected.keys() - present)),
        *(f"{path} belongs to no event" for path in sorted(present - expected.keys())),
        *(line for line in checked if line),
    ]


def _example_problem(folder: Path, path: Path, key: tuple[str, str]) -> str | None:
    try:
        event = parse_json((folder / path).read_bytes())
    except EventRefused as error:
        return f"{path} does not parse: {error}"
    found = (event.type, event.dataversion)
    return None if found == key else f"{path} holds {found[0]} version {found[1]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
