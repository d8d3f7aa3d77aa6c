"""A process of a chaos run that logs: it writes down each number when its log call has returned, until it ends.

    python -m tests.chaos.logger FAMILY.json

A stream is what one thread of one process logs with one life of its handler; its numbers count up from 0. They stand
in `acks/<stream>`, a line each; with a question mark where the message may be in memory only, for the disk was full,
and with an x where it is a bad one, to become a dead letter.
"""

from __future__ import annotations

import atexit
import faulthandler
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from robotmia_logging import RobotmiaHandler
from robotmia_logging.delivery.spool import writer
from robotmia_logging.delivery.spool.link import Held
from tests.chaos.plans import Life

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

EXIT_CODE = 70
"""Of a process that ends itself by `os._exit`."""
_FULL_AT_BYTES = 15 * 1024  # less than the smallest segment, more than what is written down of 1,500 calls
_PATIENCE_S = 10.0
_LINE_BYTES = 320  # of a message without what is added to it


@dataclass(frozen=True, kw_only=True)
class Home:
    """What the processes of a family have in common.

    Attributes:
        folder: where they write down what they did.
        family: its name.
        may_fill: whether the disk may get full.
    """

    folder: str
    family: str
    may_fill: bool

    def tell(self, *words: object) -> None:
        """Tell the verdict something, in one write."""
        _append(os.path.join(self.folder, "told", self.family), " ".join(map(str, words)))


class Stream:
    """What one thread logs."""

    def __init__(self, home: Home, life: Life, handler: RobotmiaHandler, name: str) -> None:
        self._home = home
        self._life = life
        self._handler = handler
        self._rng = Random(f"{life.seed}/{name}")
        self._log = logging.getLogger("chaos")
        self._name = name
        self._number = 0
        self._is_held = False
        self._acks = os.open(os.path.join(home.folder, "acks", name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def log(self) -> None:
        """Make the next call, and write it down."""
        number = self._number
        self._number += 1
        extra = self._extra(number)
        is_bad = "poison" in extra or "$add" in extra.get("profile", ())
        before = self._last_link
        self._log.info("number %d", number, extra=extra)
        is_durable = self._is_durable(before)
        os.write(self._acks, b"%d%b%b\n" % (number, b"x" * is_bad, b"?" * (not is_durable)))

    @property
    def rolls_soon(self) -> bool:
        """Whether the next call is about to begin a new segment."""
        link = self._last_link
        return link.size - link.used_bytes < _LINE_BYTES + self._life.pad_bytes if hasattr(link, "size") else True

    def _is_durable(self, before: Any) -> bool:
        """Whether the message of the call that found `before` as the last link is on disk for certain."""
        if not self._home.may_fill:
            return True
        after = self._last_link
        if isinstance(after, Held) and not self._is_held:
            self._is_held = True
            self._home.tell("held")
        return after is before and after.is_durable

    @property
    def _last_link(self) -> Any:
        return self._handler.delivery._keeper._spool.writer.last  # type: ignore[union-attr]

    def _extra(self, number: int) -> dict[str, Any]:
        life, rng = self._life, self._rng
        key = {"stream": self._name, "number": number}
        user = {"distinct_id": f"user {rng.randrange(life.users)}"}
        chance = rng.random()
        if chance < life.refused:
            return {**user, "profile": {"$add": key}}  # of a text: refused in the log call
        if 1.0 - chance < life.poison:
            return {**user, **key, "event": "E", "poison": True}
        if rng.random() < life.updates:
            return {**user, "profile": {"$set": key}}
        return {**user, **key, "event": "E", "pad": "x" * rng.randint(0, life.pad_bytes)}


class Process:
    """Lives a life."""

    def __init__(self, home: Home, life: Life, handler: RobotmiaHandler) -> None:
        self._home = home
        self._life = life
        self._handler = handler
        self._children: list[tuple[Callable[[], int], Life]] = []

    def live(self) -> None:
        """Log, fork, and end. Returns if the end is a clean one."""
        life = self._life
        self._home.tell("born", life.ending)
        thread = self._second_thread() if life.thread else None
        if life.interrupted:
            self._be_interrupted()
        stream = Stream(self._home, life, self._handler, f"{life.name}m")
        for number in range(life.count):
            stream = self._before(number, stream)
            stream.log()
            if number % life.pause_every == 0 and life.pause_s:
                time.sleep(life.pause_s)
        time.sleep(life.linger_s)
        if thread is not None:
            thread.join()
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        self._wait_for_children()
        self._end()

    def _before(self, number: int, stream: Stream) -> Stream:
        """What happens before a call; gives the stream to go on with."""
        life = self._life
        if number >= life.ends_at:
            self._die(stream)
        if life.squeezed is not None and number in life.squeezed:
            _squeeze(number == life.squeezed[0])
        for at, how, child in life.forks:
            if at == number:
                self._fork(how, child)
        if number == life.closes_at:
            self._handler.close()
            return Stream(self._home, life, self._handler, f"{life.name}m2")
        return stream

    def _die(self, stream: Stream) -> None:
        ending, delay_s = self._life.ending, self._life.delay_s
        if ending == "_exit":
            os._exit(EXIT_CODE)
        if ending == "timer" or (ending == "timer at a roll" and stream.rolls_soon):
            # Nobody handles SIGALRM: the kernel ends the process, at whichever instruction it is.
            signal.setitimer(signal.ITIMER_REAL, delay_s)

    def _end(self) -> None:
        life = self._life
        if life.ending == "timer at exit":
            atexit.register(signal.setitimer, signal.ITIMER_REAL, life.delay_s)
            if "multiprocessing" in sys.modules:  # whose children run no such hooks
                signal.setitimer(signal.ITIMER_REAL, life.delay_s)
        elif life.ending == "flush":
            self._flush()
        elif life.ending == "close":
            self._handler.close()
        elif life.ending == "error":
            raise SystemExit("the end of a life by an error")

    def _flush(self) -> None:
        """Flush, and look into the accounts: without trouble everything has its outcome."""
        flush, stats = self._handler.flush, self._handler.stats
        done = flush(1.0) or (stats().last_error is None and flush(_PATIENCE_S))
        self._home.tell("flushed", done)
        found = stats()
        ends = found.delivered + sum(found.dropped.values()) + sum(found.dead_lettered.values())
        if found.accepted != ends + found.pending or not (done or found.last_error):
            self._home.tell("complaint", found)

    def _second_thread(self) -> threading.Thread:
        stream = Stream(self._home, self._life, self._handler, f"{self._life.name}t")

        def log() -> None:
            for _ in range(self._life.count // 2):
                stream.log()

        thread = threading.Thread(target=log)
        thread.start()
        return thread

    def _be_interrupted(self) -> None:
        stream = Stream(self._home, self._life, self._handler, f"{self._life.name}i")
        amid = threading.Lock()

        def log(*_: object) -> None:
            if amid.acquire(blocking=False):  # else it broke into itself
                stream.log()
                amid.release()

        signal.signal(signal.SIGPROF, log)
        signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)

    # --- children

    def _fork(self, how: str, life: Life) -> None:
        if how == "multiprocessing":
            import multiprocessing

            child = multiprocessing.get_context("fork").Process(target=self._live_as_child, args=(life,))
            child.start()
            self._children.append((partial(_joined, child), life))
            return
        pid = os.fork()
        if pid:
            self._children.append((partial(_waited_for, pid), life))
            return
        if "multiprocessing.process" in sys.modules:  # which would have us wait for the parent's children
            sys.modules["multiprocessing.process"]._children.clear()
        self._live_as_child(life)
        sys.exit()

    def _live_as_child(self, life: Life) -> None:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        Process(self._home, life, self._handler).live()

    def _wait_for_children(self) -> None:
        for wait, life in self._children:
            code = wait()
            if code not in allowed_codes(life):
                self._home.tell("complaint", f"the child {life.name} ended with {code}")


def _waited_for(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _joined(child: Any) -> int:
    child.join()
    return int(child.exitcode)


def allowed_codes(life: Life) -> set[int]:
    """How a process with this ending may end; whoever was to kill itself may be done before."""
    if life.ending == "error":
        return {1}
    if life.ending == "_exit":
        return {EXIT_CODE}
    return {0, -signal.SIGALRM} if life.ending.startswith("timer") else {0}


def _squeeze(full: bool) -> None:
    """Have the disk full, or not any more."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FULL_AT_BYTES if full else hard, hard))


class _Told(logging.Handler):
    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home

    def emit(self, record: logging.LogRecord) -> None:
        self._home.tell("trouble", record.getMessage())


def _append(path: str, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def run(order: dict[str, Any]) -> None:
    """Be what was ordered: a logger, or one that only drains the spool."""
    home = Home(folder=order["folder"], family=order["family"], may_fill=order["may_fill"])
    faulthandler.register(signal.SIGUSR1)  # asked where it hangs
    if order["largest_bytes"] is not None:
        writer._LARGEST_BYTES = order["largest_bytes"]
    logging.getLogger("robotmia_logging").addHandler(_Told(home))
    handler = RobotmiaHandler(token="chaos", **order["options"])
    log = logging.getLogger("chaos")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    if order["life"] is not None:
        Process(home, Life.from_json(order["life"]), handler).live()
        return
    home.tell("flushed", handler.flush(30.0))
    home.tell("stats", handler.stats())


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        ordered = json.load(file)
    run(ordered)
