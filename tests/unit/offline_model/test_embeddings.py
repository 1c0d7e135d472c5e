"""Embeddings by feature hashing."""

import base64
import math
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.offline_model.embeddings import AskedEmbeddings, embeddings, vector
from infra.offline_model.wire import BadRequest, parsed


def asked(**body: Any) -> AskedEmbeddings:
    return parsed(AskedEmbeddings, {"model": "text-embedding-3-small", **body})


def likeness(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(vector(one, 256), vector(other, 256), strict=True))


@given(st.text(), st.integers(1, 64))
def test_vectors_have_the_length_one(text: str, size: int) -> None:
    numbers = vector(text, size)

    assert len(numbers) == size
    assert math.isclose(math.fsum(each * each for each in numbers), 1.0, rel_tol=1e-9)


def test_same_text_gets_the_same_vector() -> None:
    assert vector("rotate the keys", 32) == vector("rotate the keys", 32)


def test_texts_that_share_words_lie_closer() -> None:
    assert likeness("rotate the keys", "the keys were rotated") > 2 * likeness("rotate the keys", "a sunny harbour")


def test_dimensions_are_honoured() -> None:
    sizes = [len(embeddings(asked(input="a", **more))["data"][0]["embedding"]) for more in ({}, {"dimensions": 8})]

    assert sizes == [1_536, 8]


def test_base64_holds_the_same_numbers_as_float() -> None:
    plain = embeddings(asked(input="keys", dimensions=4))["data"][0]["embedding"]
    encoded = embeddings(asked(input="keys", dimensions=4, encoding_format="base64"))["data"][0]["embedding"]

    assert array("f", base64.b64decode(encoded)).tolist() == pytest.approx(plain)


@pytest.mark.parametrize(("texts", "count"), [("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2]], 2)])
def test_every_form_of_input_is_understood(texts: Any, count: int) -> None:
    body = embeddings(asked(input=texts))

    assert [each["index"] for each in body["data"]] == list(range(count))
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("texts", ["", [], [""], None, ["a", [1]], 7])
def test_useless_input_is_refused(texts: Any) -> None:
    with pytest.raises(BadRequest):
        embeddings(asked(input=texts))
