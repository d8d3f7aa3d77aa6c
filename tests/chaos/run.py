"""A whole chaos run: its series, one after another or several at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.chaos import plans
from tests.chaos.disks import can_mount
from tests.chaos.families import Nursery
from tests.chaos.rounds import Outcome, play


class Run:
    """Plays rounds.

    Args:
        seed: what all is drawn from.
        rounds: how many.
        root: a folder to work in; failing series stay there.
        workers: how many series are played at once.
        only_round: play just the series of this round.
    """

    def __init__(self, seed: int, rounds: int, root: str, *, workers: int = 1, only_round: int | None = None) -> None:
        self._root = root
        self._workers = workers
        mounts = can_mount()
        size = plans.ROUNDS_IN_SERIES
        numbers = range(-(-rounds // size)) if only_round is None else [only_round // size]
        self._tasks = [
            (
                seed,
                plans.series(seed, number, min(size, rounds - number * size) if only_round is None else size, mounts),
            )
            for number in numbers
        ]

    def outcomes(self) -> Iterator[Outcome]:
        """Play; gives what each series came to, as soon as it is known."""
        if self._workers == 1:
            with Nursery() as nursery:
                for seed, series in self._tasks:
                    yield play(seed, series, self._root, nursery)
            return
        # Not forked: what plays has threads.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self._workers, spawn, _open_nursery) as pool:
            for played in as_completed([pool.submit(_play, *task, self._root) for task in self._tasks]):
                yield played.result()


_nurseries: list[Nursery] = []
"""A worker's own; its zygote ends with the worker."""


def _open_nursery() -> None:
    _nurseries.append(Nursery().__enter__())


def _play(seed: int, series: plans.Series, root: str) -> Outcome:
    return play(seed, series, root, _nurseries[0])
