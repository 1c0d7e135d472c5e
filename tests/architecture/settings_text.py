"""Every setting as text: the content of `.env.example`, and the table in the operations page.

`python -m tests.architecture.settings_text` writes both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import SecretStr
from pydantic_settings import BaseSettings

import shared.settings
from infra.local.processes import ROOT
from infra.local.settings import LocalSettings
from shared.settings import ServiceSettings

ENV_EXAMPLE = ROOT / ".env.example"
OPERATIONS = ROOT / "docs" / "operations.md"
TABLE_BEGINS = "<!-- written by `python -m tests.architecture.settings_text` -->\n"
TABLE_ENDS = "<!-- end of the settings -->"

_HEAD = """\
# Every setting with its default, written by `python -m tests.architecture.settings_text`. Copy this file to .env and
# uncomment what you change; the environment goes before .env. Compose reads .env too.
"""
_REPEATED = "As for"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as everyone who reads it describes it."""

    name: str
    default: str
    readers: tuple[str, ...]
    description: str


def settings() -> list[Setting]:
    """Return every setting once, in the order in which the classes name them."""
    found: dict[str, list[type[BaseSettings]]] = {}
    for reader in _classes():
        for name in _own_fields(reader):
            found.setdefault(name, []).append(reader)
    return [_setting(name, readers) for name, readers in found.items()]


def env_example() -> str:
    """Return the whole of `.env.example`."""
    entries = (f"# {setting.description}\n#{setting.name}={setting.default}\n" for setting in settings())
    return "\n".join([_HEAD, *entries])


def table() -> str:
    """Return the table of the settings in Markdown."""
    head = "| setting | default | read by | meaning |\n|---|---|---|---|\n"
    return head + "".join(_row(setting) for setting in settings())


def with_table(page: str) -> str:
    """Return the page with the table in its place."""
    before, _, rest = page.partition(TABLE_BEGINS)
    _, end, after = rest.partition(TABLE_ENDS)
    return f"{before}{TABLE_BEGINS}\n{table()}\n{end}{after}"


def _classes() -> Iterator[type[BaseSettings]]:
    yield ServiceSettings
    yield from sorted(_service_classes(), key=_place)
    yield LocalSettings


def _service_classes() -> list[type[ServiceSettings]]:
    """Return the classes that a service builds: those that no other one in the module is made from."""
    # Tests may derive settings of their own.
    classes = [value for value in vars(shared.settings).values() if _is_settings_class(value)]
    return [reader for reader in classes if not any(reader in other.__bases__ for other in classes)]


def _is_settings_class(value: object) -> TypeGuard[type[ServiceSettings]]:
    return isinstance(value, type) and issubclass(value, ServiceSettings) and value is not ServiceSettings


def _place(reader: type[BaseSettings]) -> int:
    text = Path(ROOT, *reader.__module__.split(".")).with_suffix(".py").read_text()
    return text.index(f"class {reader.__name__}(")


def _own_fields(reader: type[BaseSettings]) -> list[str]:
    if reader is ServiceSettings or not issubclass(reader, ServiceSettings):
        return list(reader.model_fields)
    return [name for name in reader.model_fields if name not in ServiceSettings.model_fields]


def _setting(name: str, readers: list[type[BaseSettings]]) -> Setting:
    return Setting(
        name=name.upper(),
        default=_text(readers[0].model_fields[name].default),
        readers=tuple(_reader(reader) for reader in readers),
        description=_description(name, readers),
    )


def _description(name: str, readers: list[type[BaseSettings]]) -> str:
    """Return what the services make of a setting, and what `up` makes of it when that is something else."""
    described = {reader: reader.model_fields[name].description or "" for reader in readers}
    local = described.pop(LocalSettings, "")
    first = next((text for text in described.values() if not text.startswith(_REPEATED)), "")
    if not first or local in {"", first}:
        return first or local
    return f"{first} With `./taskw up`: {_continued(local)}"


def _continued(sentence: str) -> str:
    word = sentence.partition(" ")[0]
    return sentence if word[1:] != word[1:].lower() else sentence[0].lower() + sentence[1:]


def _reader(reader: type[BaseSettings]) -> str:
    names = {ServiceSettings: "every service", LocalSettings: "`up`"}
    return names.get(reader, reader.__name__.removesuffix("Settings").lower())


def _text(default: Any) -> str:
    match default:
        case None:
            return ""
        case SecretStr():
            return default.get_secret_value()
        case bool():
            return str(default).lower()
        case Enum():
            return str(default.value)
        case _:
            return str(default)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else ""
    return f"| `{setting.name}` | {default} | {', '.join(setting.readers)} | {setting.description} |\n"


def main() -> None:
    """Write both files."""
    ENV_EXAMPLE.write_text(env_example())
    OPERATIONS.write_text(with_table(OPERATIONS.read_text()))


if __name__ == "__main__":
    main()
