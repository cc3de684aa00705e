"""``docs/errors.md`` explains every reason that the API can give, and the status it comes with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harken.v1 import errors_pb2
from harken_server.errors import Reason
from harken_server.grpc.errors import CODES

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
REASONS = [
    value.name.removeprefix("ERROR_REASON_")
    for value in errors_pb2.ErrorReason.DESCRIPTOR.values
    if value.number
]


def sections():
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]
    return {part.split("\n", 1)[0].strip(): part for part in parts}


def test_every_reason_of_the_api_has_a_status_and_no_other():
    assert list(CODES) == REASONS
    assert {reason.value for reason in Reason} <= set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_explained_with_cause_sample_and_mend(reason):
    section = sections()[reason]
    assert f"`{CODES[reason].name}`" in section
    for part in ("**Cause.**", "**Mend.**", "```"):
        assert part in section
    assert f'"reason": "{reason}"' in section


def test_nothing_is_explained_that_does_not_exist():
    assert [name for name in sections() if name.isupper()] == REASONS
