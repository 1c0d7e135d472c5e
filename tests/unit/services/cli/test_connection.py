"""Which gateway a command asks, and what it shows to it."""

import json
from pathlib import Path

import pytest

from services.cli.connection import DEFAULT_URL, FILE, Connection, find_connection
from services.cli.errors import NoToken

RUNNING = "http://127.0.0.1:9090"


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """Return the data folder of an `up` that runs."""
    (tmp_path / FILE).write_text(json.dumps({"gateway_url": RUNNING, "token": "of-up"}))
    return tmp_path


def test_what_was_asked_for_is_what_is_used(running: Path) -> None:
    assert find_connection("http://other:80/", "mine", running) == Connection("http://other:80", "mine")


def test_a_running_up_is_found(running: Path) -> None:
    assert find_connection(None, None, running) == Connection(RUNNING, "of-up")
    assert find_connection(None, "mine", running) == Connection(RUNNING, "mine")
    assert find_connection(f"{RUNNING}/", None, running) == Connection(RUNNING, "of-up")


def test_the_token_of_up_is_shown_to_no_other_gateway(running: Path) -> None:
    with pytest.raises(NoToken, match="http://other:80"):
        find_connection("http://other:80", None, running)


def test_without_up_the_address_is_the_default_and_a_token_is_needed(tmp_path: Path) -> None:
    assert find_connection(None, "mine", tmp_path) == Connection(DEFAULT_URL, "mine")
    with pytest.raises(NoToken, match="TOWPATH_TOKEN"):
        find_connection(None, None, tmp_path)


def test_a_file_that_is_cut_off_is_no_running_up(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"gateway_url": ')

    with pytest.raises(NoToken):
        find_connection(None, None, tmp_path)
