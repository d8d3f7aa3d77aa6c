"""No test of the spool leaves locks behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.spool.spools import OPEN, crash


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    while OPEN:
        crash(OPEN.pop())
