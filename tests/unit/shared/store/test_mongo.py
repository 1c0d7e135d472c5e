"""What failures of MongoDB mean: it is away, or it is a bug."""

from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from shared.errors import StorageUnavailable
from shared.store.mongo import duplicate_indexes, storage_errors


def bulk_error(*codes: int, concern: list[dict[str, Any]] | None = None) -> BulkWriteError:
    errors = [{"index": index, "code": code} for index, code in enumerate(codes)]
    return BulkWriteError({"writeErrors": errors, "writeConcernErrors": concern or []})


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        NotPrimaryError("not primary"),
        ServerSelectionTimeoutError("No servers found yet, Timeout: 3.0s, Topology Description: <...>"),
        ExecutionTimeout("operation exceeded time limit", 50),
        WTimeoutError("waiting for replication timed out", 64),
        OperationFailure("interrupted at shutdown", 11_600),
        OperationFailure("not primary", 10_107),
        CursorNotFound("cursor id 7 not found", 43),
        bulk_error(11_000, 189),
        bulk_error(concern=[{"code": 189, "errmsg": "Primary stepped down while waiting for replication"}]),
    ],
)
def test_not_reaching_or_not_confirming_means_unavailable(error: Exception) -> None:
    with pytest.raises(StorageUnavailable, match="MongoDB does not answer") as raised, storage_errors():
        raise error

    assert raised.value.__cause__ is error
    assert "Topology" not in raised.value.message


@pytest.mark.parametrize(
    "error", [OperationFailure("bad query", 2), DuplicateKeyError("E11000"), bulk_error(121), KeyError("name")]
)
def test_other_errors_pass_as_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, storage_errors():
        raise error

    assert raised.value is error


def test_documents_that_are_there_already_are_named_by_their_places() -> None:
    assert duplicate_indexes(bulk_error(11_000, 11_000)) == {0, 1}


def test_another_write_error_beside_duplicates_is_raised() -> None:
    with pytest.raises(BulkWriteError):
        duplicate_indexes(bulk_error(11_000, 121))


def test_duplicates_that_were_not_confirmed_are_not_known_to_be_there() -> None:
    with pytest.raises(StorageUnavailable):
        duplicate_indexes(bulk_error(11_000, concern=[{"code": 64, "errmsg": "waiting for replication timed out"}]))
