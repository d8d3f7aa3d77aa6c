"""Tests of your own tracking: capture what log calls send, or have a robotmia of your own, and say what must be there.

    with capture_messages() as messages:
        sign_up(user)
    messages.assert_tracked("Signed Up", distinct_id="13793", plan="pro")

docs/testing.md shows the ways to use it. Only `Sandbox` needs more than the package itself: the extra
`robotmia_logging[sandbox]`. pytest's fixtures are in `robotmia_logging.pytest_plugin`.
"""

from robotmia_logging.testing.active import (
    assert_not_tracked,
    assert_not_updated,
    assert_nothing_sent,
    assert_tracked,
    assert_tracked_once,
    assert_tracked_times,
    assert_updated,
)
from robotmia_logging.testing.captured import CapturedMessages, capture_messages
from robotmia_logging.testing.found import RefusedMessage, SentMessage
from robotmia_logging.testing.own_sandbox import Sandbox

__all__ = [
    "CapturedMessages",
    "RefusedMessage",
    "Sandbox",
    "SentMessage",
    "assert_not_tracked",
    "assert_not_updated",
    "assert_nothing_sent",
    "assert_tracked",
    "assert_tracked_once",
    "assert_tracked_times",
    "assert_updated",
    "capture_messages",
]
