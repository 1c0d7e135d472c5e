"""What `up` says once everything is ready."""

import re

from rich.console import Console
from rich.text import Text

from infra.local.stack import Stack
from infra.local.tokens import DEVELOPMENT_ORGANISATION, DEVELOPMENT_USER

EXAMPLE_EVENT = (
    '{"specversion":"1.0","id":"checkin-1","source":"/my-product","type":"checkin.submitted",'
    '"organisationid":"acme","projectid":"apollo","userid":"ada",'
    '"data":{"date":"2026-01-15","mood":"tired","today":"I will finish the export. Blocked by missing API keys."}}'
)


def show_banner(stack: Stack, console: Console) -> None:
    """Print the addresses, a development token and a first request."""
    facts = {
        "gateway": stack.gateway_url,
        "NATS": without_password(stack.nats_url),
        "MongoDB": without_password(stack.mongodb_url),
        "model": _model(stack),
        "logs": str(stack.log_folder),
    }
    console.print("\nTowpath is up.", style="bold green")
    for name, value in facts.items():
        _print(console, Text.assemble((f"  {name:<9}", "cyan"), value))
    owner = f"{DEVELOPMENT_USER} of {DEVELOPMENT_ORGANISATION}"
    _print(console, Text(f"\nA token of {owner}, good for 12 hours, and a first event:\n", style="dim"))
    _print(console, Text(f"export TOKEN={stack.token()}"))
    _print(console, Text(example_request(stack.gateway_url)))
    _print(console, Text("\nCtrl-C stops everything; the data stays.\n", style="dim"))


def example_request(gateway_url: str) -> str:
    """Return the command that publishes one event."""
    headers = '-H "Authorization: Bearer $TOKEN" -H "Content-Type: application/cloudevents+json"'
    return f"curl -sS {gateway_url}/api/events {headers} -d '{EXAMPLE_EVENT}'"


def without_password(url: str) -> str:
    """Return the URL (or list of URLs) as it may be shown."""
    return re.sub(r"//[^/@,]*@", "//***@", url)


def _model(stack: Stack) -> str:
    if stack.settings.offline_model_url is not None:
        return f"{stack.settings.offline_model_url} (offline, rules instead of AI; set OPENAI_API_KEY for a real one)"
    return stack.settings.openai_base_url or "OpenAI"


def _print(console: Console, text: Text) -> None:
    # Never wrapped: these lines are there to be copied.
    console.print(text, soft_wrap=True)
