"""The settings, as they are written down for those who set them."""

from tests.architecture.settings_text import ENV_EXAMPLE, OPERATIONS, env_example, settings, table

AGAIN = "write it again with `python -m tests.architecture.settings_text`"


def test_env_example_equals_the_settings() -> None:
    assert ENV_EXAMPLE.read_text() == env_example(), AGAIN


def test_the_operations_page_lists_the_settings() -> None:
    assert table() in OPERATIONS.read_text(), AGAIN


def test_every_setting_is_described_in_one_line() -> None:
    assert [setting.name for setting in settings() if not setting.description or "\n" in setting.description] == []


def test_settings_of_every_service_are_there() -> None:
    readers = {reader for setting in settings() for reader in setting.readers}

    assert readers == {"every service", "provision", "gateway", "gating", "scheduler", "runner", "`up`"}
