"""A chat that was continued when a job had ended."""

from rich.table import Table
from rich.text import Text

from infra.demo.client import GatewayRefused, Json
from infra.demo.view import plain_table


def continued(session: Json) -> Table:
    """Return the message that followed a job, and the one before it; raise GatewayRefused when none did."""
    messages = session["messages"]
    place = next((n for n, each in enumerate(messages) if each["metadata"].get("job_id")), None)
    if place is None:
        raise GatewayRefused(f"session '{session['session_id']}' was not continued after its job")
    job = messages[place]["metadata"]["job_id"]
    table = plain_table(f"Session {session['session_id']}: continued when job {job} had ended")
    table.add_column("who", width=28)
    table.add_column("text", ratio=1)
    for message in messages[max(0, place - 1) : place + 1]:
        table.add_row(Text(message["role"]), Text(message["text"]))
    return table
