"""Dead letters sent again by several at once: none is sent by two."""

from __future__ import annotations

import os

import pytest

from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.delivery.dead_letters import DeadLetterFile
from robotmia_logging.delivery.resend import Limits, letters, send_letters, take_letters
from robotmia_logging.messages import DeadLetter
from tests.delivery.fakes import WALL, event
from tests.hostile import HostileServer


@pytest.fixture
def taken(tmp_path):
    file = DeadLetterFile(tmp_path / "dead")
    file.append([DeadLetter(letter=event("E"), reason="refused", error="no", attempts=1)], WALL)
    [path] = take_letters(file)
    return path


def send(path, server):
    settings = DeliverySettings(url=server.url)
    return send_letters(path, settings, limits=Limits(timeout_s=10.0), look=lambda _: None, say=lambda _: None)


def test_letters_that_another_retry_has_just_sent_are_let_be(tmp_path, taken, monkeypatch):
    """Who opened a file, and finds it gone when its journal is open, sends nothing: another retry was done with it."""
    begin = letters.Journal.open

    def begin_too_late(path, file, **options):
        os.unlink(path)
        return begin(path, file, **options)

    monkeypatch.setattr(letters.Journal, "open", begin_too_late)
    with HostileServer() as server:
        assert send(taken, server) is None
        assert not server.requests
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_gone_is_none(taken):
    """A file that another retry has deleted is nothing to send."""
    with HostileServer() as server:
        assert send(taken, server).stats.delivered == 1
        assert send(taken, server) is None
        assert len(server.taken) == 1
