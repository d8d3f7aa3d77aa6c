"""A process is killed outright before anything has left it: the next one delivers what it had logged."""

import json
import logging
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from robotmia_logging import RobotmiaHandler

with TemporaryDirectory() as spool:
    if os.fork() == 0:
        robotmia = RobotmiaHandler(spool=spool, flush_interval=60)
        logging.basicConfig(level="INFO", format="%(message)s", handlers=[logging.StreamHandler(sys.stdout), robotmia])
        log = logging.getLogger("shop")
        for number, amount in ((7, 19.9), (8, 29.9), (9, 49.9)):
            log.info("invoice %d paid", number, extra={"revenue": amount, "distinct_id": "ada"})
        os.kill(os.getpid(), signal.SIGKILL)  # no exit hook runs, nor any finally
    os.wait()

    for segment in Path(spool).glob("*/*.jsonl"):
        for line in segment.read_bytes().rstrip(b"\0").splitlines():
            print(f"on disk: {json.loads(line)['message']['$append']['$transactions']['$amount']}")

    robotmia = RobotmiaHandler(spool=spool)
    robotmia.flush()
    print(f"delivered by the next process: {robotmia.stats().delivered}")
