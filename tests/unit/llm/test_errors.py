"""The errors of a model call."""

from shared.errors import AppError, Permanent, Retryable
from shared.llm import errors

ALL = [each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = {each.code for each in ALL if issubclass(each, AppError)}

    assert len(codes) == len(ALL)
    assert all(code.startswith("model_") for code in codes)


def test_every_error_says_whether_trying_again_can_help() -> None:
    assert all(issubclass(each, Retryable) is not issubclass(each, Permanent) for each in ALL)
