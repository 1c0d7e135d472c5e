"""What can go wrong for whoever types a command, and with which exit code."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

_NEXT = {
    "unauthenticated": "Pass another token with --token or TOWPATH_TOKEN; `./taskw token --help` makes one for `up`.",
    "forbidden": "It takes a token with the role backend, organisation_admin or server_admin.",
    "internal": "This is a bug: report it with the gateway's log line.",
}


class ExitCode(IntEnum):
    """How the command ended. 2 is also what a wrong option ends with."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3


class CliError(Exception):
    """A command that could not be done; the message says what to do next."""

    exit_code: ExitCode


class NoToken(CliError):
    """There is no token to show to the gateway."""

    exit_code = ExitCode.USAGE


class Unclear(CliError):
    """The options do not say what is meant."""

    exit_code = ExitCode.USAGE


class Unreachable(CliError):
    """The gateway, or a server that it needs, does not answer; the same command may work later."""

    exit_code = ExitCode.UNREACHABLE


class Refused(CliError):
    """The gateway said no; `code` is that of its problem document."""

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, code: str = "unknown") -> None:
        super().__init__(message)
        self.code = code


def said(problem: Mapping[str, Any]) -> str:
    """Return a problem document as lines for a person."""
    code = str(problem.get("code", "unknown"))
    lines = [f"{problem.get('detail') or problem.get('title') or 'The gateway refused.'} ({code})"]
    if code in _NEXT:
        lines.append(_NEXT[code])
    return "\n".join(lines)
