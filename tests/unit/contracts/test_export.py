"""The generated schemas and the recorded examples."""

import shutil
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from contracts.export import SCHEMAS, event_schema, example_path, main, problems, schema_path, write
from contracts.registry import EVENT_TYPES
from tests.unit.contracts.examples import changed, recorded, without


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SCHEMAS, tmp_path / "schemas"))


def test_committed_files_are_in_order() -> None:
    assert problems(SCHEMAS) == []


@pytest.mark.parametrize(("type_", "version"), EVENT_TYPES)
def test_example_satisfies_its_schema(type_: str, version: str) -> None:
    schema = orjson.loads((SCHEMAS / schema_path(type_, version)).read_bytes())

    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(recorded(type_, version))


@pytest.mark.parametrize(
    "value",
    [
        without("checkin.submitted", "type"),
        without("checkin.submitted", "userid"),
        changed("checkin.submitted", userId="mara"),
        changed("checkin.submitted", custom=[1]),
        changed("checkin.submitted", id="a\nb"),
        changed("checkin.submitted", data={"txet": ""}),
    ],
)
def test_schema_refuses_what_parse_refuses(value: dict[str, object]) -> None:
    schema = event_schema(EVENT_TYPES["checkin.submitted", "1"])

    assert not Draft202012Validator(schema).is_valid(value)


def test_check_passes_on_what_was_written(folder: Path) -> None:
    assert main(["--folder", str(folder)]) == 0
    assert main(["--check", "--folder", str(folder)]) == 0


def test_check_names_every_file_that_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / schema_path("doc.created", "1")).unlink()
    (folder / schema_path("doc.updated", "1")).write_text("{}")
    (folder / schema_path("doc.gone", "1")).write_text("{}")
    (folder / example_path("run.queued", "1")).unlink()
    (folder / example_path("run.gone", "1")).write_text("{}")
    (folder / example_path("run.failed", "1")).write_text("{}")
    shutil.copy(folder / example_path("job.started", "1"), folder / example_path("job.finished", "1"))

    assert main(["--check", "--folder", str(folder)]) == 1
    told = capsys.readouterr().err
    assert "schemas/events/doc.created.v1.json is missing" in told
    assert "schemas/events/doc.updated.v1.json is out of date" in told
    assert "schemas/events/doc.gone.v1.json belongs to no event" in told
    assert "schemas/examples/run.queued.v1.json is missing" in told
    assert "schemas/examples/run.gone.v1.json belongs to no event" in told
    assert "schemas/examples/run.failed.v1.json does not parse" in told
    assert "schemas/examples/job.finished.v1.json holds job.started version 1" in told


def test_write_mends_the_schemas_and_leaves_the_examples_alone(folder: Path) -> None:
    (folder / schema_path("doc.updated", "1")).write_text("{}")
    (folder / schema_path("doc.gone", "1")).write_text("{}")
    recorded_before = (folder / example_path("doc.updated", "1")).read_bytes()

    write(folder)

    assert problems(folder) == []
    assert (folder / example_path("doc.updated", "1")).read_bytes() == recorded_before
