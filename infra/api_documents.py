"""Writes the OpenAPI document of the gateway and the AsyncAPI document of every service, or checks that they are written.

`python -m infra.api_documents` writes to `contracts/schemas`; with `--check` it names every file that differs.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from contracts.channels import TRAFFIC, Channel, Traffic
from contracts.export import SCHEMAS, schema_path
from contracts.registry import EVENT_TYPES
from services.gateway.app import create_app
from shared.settings import GatewaySettings

_PARAMETER = re.compile(r"\{(\w+)\}")
_VERSION = "1"

Document = dict[str, Any]


def documents() -> dict[Path, bytes]:
    """Return every document by its path below the folder of schemas."""
    files = {Path("asyncapi") / f"{service}.json": asyncapi(service, TRAFFIC[service]) for service in TRAFFIC}
    files[Path("openapi.json")] = openapi()
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {path: orjson.dumps(document, option=option) for path, document in files.items()}


def openapi() -> Document:
    """Return what the gateway says of its own routes."""
    settings = GatewaySettings.model_validate({"auth_jwt_secret": "only for building the routes"})
    return create_app(settings).openapi()


def asyncapi(service: str, traffic: Traffic) -> Document:
    """Return the AsyncAPI 3.0 document of one service."""
    channels = {channel.name: channel for channel in (*traffic.receives, *traffic.sends)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Towpath {service}", "version": _VERSION},
        "defaultContentType": "application/json",
        "channels": {name: _channel(channel) for name, channel in channels.items()},
        "operations": {
            **_operations("receive", traffic.receives),
            **_operations("send", traffic.sends),
        },
        "components": {"messages": _messages(channels.values())},
    }


def _channel(channel: Channel) -> Document:
    document: Document = {
        "address": channel.address,
        "description": channel.description,
        "parameters": {name: {} for name in _PARAMETER.findall(channel.address)},
    }
    if channel.events:
        document["messages"] = {name: {"$ref": f"#/components/messages/{name}"} for name in _named(channel)}
    return document


def _operations(action: str, channels: Iterable[Channel]) -> Document:
    return {
        f"{action}_{channel.name}": {"action": action, "channel": {"$ref": f"#/channels/{channel.name}"}}
        for channel in channels
    }


def _messages(channels: Iterable[Channel]) -> Document:
    return {
        name: {
            "name": name,
            "contentType": "application/cloudevents+json",
            "payload": {"$ref": f"../{schema_path(*key)}"},
        }
        for channel in channels
        for name, key in _named(channel).items()
    }


def _named(channel: Channel) -> dict[str, tuple[str, str]]:
    return {f"{type_}.v{version}": (type_, version) for type_, version in EVENT_TYPES if type_ in channel.events}


def problems(folder: Path) -> list[str]:
    """Return a line for each document that is missing or differs."""
    return [
        f"{path} is {'out of date' if (folder / path).exists() else 'missing'}"
        for path, content in documents().items()
        if not (folder / path).exists() or (folder / path).read_bytes() != content
    ]


def main() -> None:
    """Write the documents, or check them."""
    parser = argparse.ArgumentParser(description="Export the OpenAPI and AsyncAPI documents.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a document differs")
    if not parser.parse_args().check:
        for path, content in documents().items():
            (SCHEMAS / path).parent.mkdir(parents=True, exist_ok=True)
            (SCHEMAS / path).write_bytes(content)
    elif found := problems(SCHEMAS):
        sys.exit("\n".join([*found, "Run `./taskw contracts:export` and commit what it writes."]))


if __name__ == "__main__":
    main()
