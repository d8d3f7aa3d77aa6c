"""Where messages stand in a log: each has a part of its line, so that a journal knows which have their outcome.

A line can give more messages than it has bytes: places are counted in sixteenths of a byte.
"""

from __future__ import annotations

from robotmia_logging.delivery.resend import Stretch

PARTS = 16
"""More than the messages of a call: an alias, an event, eight operations, a revenue."""


def place_of(stretch: Stretch) -> Stretch:
    """The place of a stretch of bytes."""
    return Stretch(stretch.start * PARTS, stretch.end * PARTS)


def split(place: Stretch, count: int) -> list[Stretch]:
    """A line's place in as many parts as it has messages, in their order."""
    if count == 1:
        return [place]
    size = place.end - place.start
    edges = [place.start + size * number // count for number in range(count + 1)]
    return [Stretch(start, end) for start, end in zip(edges, edges[1:])]  # noqa: B905, RUF007 - one is the shorter
