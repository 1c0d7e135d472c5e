"""Tags as authors write them and as they are kept."""

import pytest
from pydantic import ValidationError

from tests.unit.shared.given import a_spec


def test_tags_are_kept_in_lower_case_trimmed_and_once() -> None:
    assert a_spec(tags=[" Memory", "memory ", "Check-ins"]).tags == ("memory", "check-ins")


@pytest.mark.parametrize("tags", [[f"tag-{number}" for number in range(21)], [" "], ["x" * 65], [7], "memory"])
def test_tags_that_are_too_many_too_long_or_no_words_are_refused(tags: object) -> None:
    with pytest.raises(ValidationError) as refused:
        a_spec(tags=tags)

    assert refused.value.errors()[0]["loc"][0] == "tags"
