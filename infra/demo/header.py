"""What a demo says before it begins."""

from rich.text import Text

from infra.demo.script import Script
from infra.local.banner import without_password
from infra.local.settings import LocalSettings


def header(script: Script, settings: LocalSettings) -> Text:
    """Return what is played, and which model answers."""
    size = (
        counted(len(script.organisations), "organisation"),
        counted(len(script.projects), "project"),
        counted(len(script.people), "user"),
        counted(script.size, "event"),
    )
    return Text.assemble(
        ("Towpath demo: ", "bold"), (script.title, "bold"), "\n", (", ".join(size), "dim"), "\n", _model(settings), "\n"
    )


def counted(number: int, noun: str) -> str:
    """Return `1 event` or `2 events`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _model(settings: LocalSettings) -> Text:
    if settings.offline_model_url is None:
        return Text(f"Model: {without_password(settings.openai_base_url or 'OpenAI')}", "dim")
    return Text("Model: the offline one, rule-based, no AI. Set OPENAI_API_KEY for a real one.", "yellow")
