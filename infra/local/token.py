"""Prints a development token: `python -m infra.local.token --organisation acme --user ada --role backend`."""

import argparse

from infra.local.settings import LocalSettings
from infra.local.tokens import (
    DEVELOPMENT_ORGANISATION,
    DEVELOPMENT_USER,
    LIFETIME_SECONDS,
    mint,
    signing_secret,
)


def main(arguments: list[str] | None = None) -> None:
    """Print one token, signed with the secret the local gateway checks."""
    given = _parser().parse_args(arguments)
    settings = LocalSettings()
    token = mint(
        signing_secret(settings),
        given.organisation,
        given.user,
        given.role,
        given.project,
        given.lifetime_seconds,
        audience=settings.auth_audience,
        issuer=settings.auth_issuer,
    )
    print(token)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.token", description="Print a development token.")
    parser.add_argument("--organisation", default=DEVELOPMENT_ORGANISATION)
    parser.add_argument("--user", default=DEVELOPMENT_USER)
    roles = "backend, organisation_admin, project_admin or server_admin; none: an ordinary user; repeatable"
    parser.add_argument("--role", action="append", default=[], help=roles)
    parser.add_argument("--project", action="append", default=[], help="a project of a project_admin; repeatable")
    parser.add_argument("--lifetime-seconds", type=float, default=LIFETIME_SECONDS)
    return parser


if __name__ == "__main__":
    main()
