"""What settings mean together."""

import pytest

from contracts.agents import CallMode
from shared.settings import RunnerSettings


@pytest.mark.parametrize(
    ("wanted", "base_url", "mode"),
    [
        ("auto", None, CallMode.BACKGROUND),
        ("auto", "http://127.0.0.1:8090/v1", CallMode.PLAIN),
        ("plain", None, CallMode.PLAIN),
        ("background", "http://127.0.0.1:8090/v1", CallMode.BACKGROUND),
    ],
)
def test_models_are_called_in_the_background_where_that_is_known_to_work(
    wanted: str, base_url: str | None, mode: CallMode
) -> None:
    settings = RunnerSettings.model_validate({"model_call_mode": wanted, "openai_base_url": base_url})

    assert settings.call_mode is mode
