"""Lines of any length are read in a time that grows no faster than they do."""

from __future__ import annotations

import time

import pytest

from robotmia_logging.logs import open_format
from tests.logs.log_reading import WHEN

LINES = [
    '{"event": "m", "level": "info", "timestamp": "2026-11-25T13:00:00.125Z"}',
    "2026-11-25 13:00:00,125 INFO shop.orders m",
    "2026-11-25 13:00:00,125 [INFO] [shop.orders]: m",
    "[2026-11-25 13:00:00,125] Level 25 - shop.orders - m",
    "2026-11-25 13:00:00,125 | [shop] | INFO | m",
    "2026-11-25 13:00:00 shop INFO m",
    "2026-11-25 13:00:00,125 INFO in shop: m",
    "INFO:shop:m",
    '2026-11-25 13:00:00,125 [shop] - INFO:     10.0.0.1:5 - "GET / HTTP/1.1" 200 OK',
    "[2026-11-25 13:00:00 +0000] [4711] [INFO] m",
    '10.0.0.1 - - [25/Nov/2026:13:00:00 +0000] "GET / HTTP/1.1" 200 17 "-" "curl" 7',
    '[25/Nov/2026 13:00:00] "GET / HTTP/1.1" 200 17',
    "[2026-11-25 13:00:00,125: INFO/MainProcess] shop.add[9f3b]: m",
    "[2026-11-25 13:00:00,125: INFO/MainProcess] Task shop.add[9f3b] succeeded in 0.5s: 7",
    "<14>Nov 25 12:59:59 host app[17]: hello",
    "web-1  | 2026-11-25T13:59:59.500000000+01:00 stdout F hello",
]
RUNS = [" ", "0", "a", "a.", ":", "-", "|", ",", "[", "]", '"', "\\", "\x1b[0"]
LONG = 40_000
FOR_EVER_S = 0.5
"""Of the processor's time: a thousand times what is needed, and less than it takes to try all pairs of places."""


@pytest.mark.parametrize("line", LINES)
def test_a_run_of_anything_at_any_place(line):
    """No character, repeated anywhere in a line of any layout, is tried in more ways than there are characters."""
    log = open_format(latest=WHEN)
    for place in range(len(line) + 1):
        for run in RUNS:
            text = (line[:place] + run * (LONG // len(run)) + "x").encode()
            started = time.process_time()
            log.read(text)
            assert time.process_time() - started < FOR_EVER_S, (line[:place], run)
