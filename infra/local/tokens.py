"""Development tokens, and the secret that signs them."""

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

from infra.local.settings import LocalSettings

SECRET_FILE = "dev-secret"  # noqa: S105 - a file name
SECRET_BYTES = 32
LIFETIME_SECONDS = 12 * 3_600
DEVELOPMENT_ORGANISATION = "acme"
DEVELOPMENT_USER = "ada"
DEVELOPMENT_ROLES = ("backend", "organisation_admin", "server_admin")


def mint(
    secret: str,
    organisation: str,
    user: str,
    roles: Sequence[str],
    projects: Sequence[str] = (),
    lifetime_seconds: float = LIFETIME_SECONDS,
    *,
    audience: str = "towpath",
    issuer: str | None = None,
    issued_at: datetime | None = None,
) -> str:
    """Return a signed bearer token; `issued_at` is now unless given."""
    start = issued_at or datetime.now(UTC)
    claims = {
        "sub": user,
        "organisation": organisation,
        "roles": list(roles),
        "projects": list(projects),
        "aud": audience,
        "iat": start,
        "exp": start + timedelta(seconds=lifetime_seconds),
    }
    if issuer:
        claims["iss"] = issuer
    return jwt.encode(claims, secret, algorithm="HS256")


def signing_secret(settings: LocalSettings) -> str:
    """Return AUTH_JWT_SECRET, else the random secret of the data folder, made when it is first needed."""
    if settings.auth_jwt_secret:
        return settings.auth_jwt_secret.get_secret_value()
    path = settings.data_folder / SECRET_FILE
    if not path.exists():
        _keep_new_secret(path)
    return path.read_text().strip()


def _keep_new_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written under another name first: two processes that meet here both read one whole secret.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(SECRET_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
