"""What an operator sets for connections to other systems."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from shared.settings import IntegrationSettings

KEY = Fernet.generate_key().decode()


def test_several_keys_are_read_and_the_address_has_no_slash_at_its_end() -> None:
    settings = IntegrationSettings(open_webui_url="https://chat.example/", credentials_key=SecretStr(f"{KEY}, {KEY},"))

    assert (settings.open_webui_url, settings.credentials_keys) == ("https://chat.example", [KEY, KEY])


@pytest.mark.parametrize("key", ["", "too-short", f"{KEY},wrong"], ids=["none", "too short", "one of them wrong"])
def test_an_open_webui_needs_keys_to_seal_with(key: str) -> None:
    with pytest.raises(ValueError, match="CREDENTIALS_KEY"):
        IntegrationSettings(open_webui_url="https://chat.example", credentials_key=SecretStr(key))


def test_an_address_is_one_of_http() -> None:
    with pytest.raises(ValueError, match="OPEN_WEBUI_URL must begin with"):
        IntegrationSettings(open_webui_url="chat.example", credentials_key=SecretStr(KEY))
