"""Fifty log calls leave in one batch, and the server refuses one of them: the other forty-nine arrive."""

import json
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from robotmia_logging import RobotmiaHandler

with TemporaryDirectory() as folder:
    dead_letters = Path(folder) / "dead-letters.jsonl"
    robotmia = RobotmiaHandler(dead_letters=dead_letters)
    logging.basicConfig(level="INFO", format="%(message)s", handlers=[logging.StreamHandler(sys.stdout), robotmia])
    log = logging.getLogger("shop")

    for number in range(1, 51):
        # Somebody pastes an essay into the search box, and the search is part of the event's name: only the
        # server can say that this is too long.
        words = "robots and the meaning of life " * 10 if number == 21 else f"robot {number}"  # noqa: PLR2004
        user = f"user-{number % 3}"
        log.info("%s looked for %s", user, words, extra={"event": f"Looked for {words}", "distinct_id": user})

    robotmia.flush()
    stats = robotmia.stats()
    print(f"{stats.accepted} accepted, {stats.delivered} delivered, dead letters: {stats.dead_lettered}")
    for line in dead_letters.read_text().splitlines():
        letter = json.loads(line)
        print(f"dead letter: {letter['message']['event'][:22]}...: the server says: {letter['error']}")
