"""Development tokens carry what the gateway asks for."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from infra.local import token
from infra.local.settings import LocalSettings
from infra.local.tokens import SECRET_FILE, mint, signing_secret

SECRET = "a-secret-that-is-long-enough-for-hs256"
ISSUED_AT = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)


def _claims(encoded: str, secret: str = SECRET) -> dict[str, object]:
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(encoded, secret, algorithms=["HS256"], audience="towpath", options=options)


def _settings(folder: Path, secret: str | None = None) -> LocalSettings:
    values = {"data_dir": folder, "auth_jwt_secret": secret}
    return LocalSettings.model_validate(values)


def test_a_token_names_the_user_the_organisation_and_the_roles() -> None:
    encoded = mint(SECRET, "acme", "ada", ["project_admin"], ["apollo"], 60, issued_at=ISSUED_AT)

    assert _claims(encoded) == {
        "sub": "ada",
        "organisation": "acme",
        "roles": ["project_admin"],
        "projects": ["apollo"],
        "aud": "towpath",
        "iat": ISSUED_AT.timestamp(),
        "exp": ISSUED_AT.timestamp() + 60,
    }


def test_a_token_carries_the_issuer_the_gateway_asks_for() -> None:
    encoded = mint(SECRET, "acme", "ada", [], issuer="https://id.example", issued_at=ISSUED_AT)

    assert _claims(encoded)["iss"] == "https://id.example"


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = _settings(tmp_path)

    first, second = signing_secret(settings), signing_secret(settings)

    assert first == second
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / SECRET_FILE]


def test_a_given_secret_is_used_and_not_written_down(tmp_path: Path) -> None:
    assert signing_secret(_settings(tmp_path, SECRET)) == SECRET
    assert not list(tmp_path.iterdir())


def test_the_command_prints_a_token_signed_with_the_same_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("AUTH_JWT_SECRET", raising=False)
    monkeypatch.delenv("AUTH_ISSUER", raising=False)

    token.main(["--organisation", "globex", "--user", "bob", "--role", "backend", "--role", "server_admin"])

    claims = _claims(capsys.readouterr().out.strip(), (tmp_path / SECRET_FILE).read_text())
    assert claims["organisation"] == "globex"
    assert claims["sub"] == "bob"
    assert claims["roles"] == ["backend", "server_admin"]
