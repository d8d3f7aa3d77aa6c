"""Interrupted anywhere, and gone on with: each message of a log is sent once."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging.delivery.resend import Passed
from robotmia_logging.logs import open_log
from robotmia_logging.replay import StateFolder
from robotmia_logging.replay.state import head_of
from tests.replay.replay_logs import asking, expected, lines_of, names

runs = st.lists(
    st.tuples(
        st.integers(0, 30),  # items taken before the interruption
        st.sets(st.integers(0, 30), max_size=10),  # of these, those without an outcome by then
        st.sampled_from(["stays", "rotated", "packed", "grows"]),  # what becomes of the log before the next run
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=15),
    more=st.lists(st.integers(0, 3), max_size=5),
    interrupted=runs,
)
def test_each_message_has_one_outcome(counts, more, interrupted):
    """Whatever has its outcome when a run is broken off, and whatever becomes of the log: each message has it once."""
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder), counts, more)
        sent = Counter()
        for count, unsettled, change in interrupted:
            sent += log.replay(count, unsettled)
            log.change(change)
        log.grow()
        sent += log.replay(10_000, ())
        assert sent == Counter(expected(counts + more))
        assert log.replay(10_000, ()) == Counter()


class Log:
    """A log, and the folder of its state."""

    def __init__(self, folder, counts, more):
        self.path = str(folder / "app.log")
        self.more = list(enumerate(more, len(counts)))
        self.state = StateFolder(str(folder / "state"))
        self.rotations = 0
        self.is_packed = False
        Path(self.path).write_bytes(b"".join(asking(n, count) for n, count in enumerate(counts)))

    def replay(self, count, unsettled):
        """Take so many items, and settle all but some; gives the messages that were sent."""
        with open_log(self.path) as file:
            state = self.state.open(head_of(file, takes_last=True), "", restart=False)
            taken = [item for _, item in zip(range(count), lines_of(file, state.journal.done), strict=False)]
            sent = [item for n, item in enumerate(taken) if n not in unsettled and not isinstance(item, Passed)]
            for item in taken:
                if isinstance(item, Passed):
                    state.journal.passed(item.place)
            state.journal.settled(reversed(sent))
            state.journal.close()
        return Counter(map(names, sent))

    def change(self, how):
        """Rotate, pack or lengthen the log."""
        if how == "rotated":
            self.rotations += 1
            renamed = f"{os.path.dirname(self.path)}/app.log.{self.rotations}"
            os.rename(self.path, renamed)
            self.path = renamed
        elif how == "packed" and not self.is_packed:
            self.grow()
            self.is_packed = True
            Path(self.path).write_bytes(gzip.compress(Path(self.path).read_bytes()))
        elif how == "grows":
            self.grow()

    def grow(self):
        """Write what is still to be written."""
        if not self.is_packed:
            with open(self.path, "ab") as file:
                file.writelines(asking(n, count) for n, count in self.more)
            self.more = []
