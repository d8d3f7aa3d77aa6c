"""Disks that are full, gone or read-only: messages wait in memory, and it is said; then the spool works again."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap

import pytest

from tests.delivery.fakes import DOWN, OK, FakeTransport, adds_up, event, make
from tests.delivery.spool.spools import left_on_disk
from tests.processes.proc_running import each_once, run, serving


def broken(path):
    """Make it impossible to write a spool there."""
    path.write_text("not a folder")


def test_without_a_disk_messages_wait_in_memory_and_it_is_said(tmp_path):
    """A spool that can't be written loses nothing while the process lives; trouble is told, and at_risk counts it."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = make(transport, spool=tmp_path / "spool", flush_interval=3600)
    broken(tmp_path / "spool")
    for n in range(100):
        delivery.put(event(f"e{n}"))
    assert not delivery.flush(1)
    assert delivery.at_risk == delivery.pending == 100
    assert any("can't be written" in line for line in delivery._reporter.lines(time.now + 60))
    transport.otherwise = OK
    assert delivery.flush()
    assert transport.names == [f"e{n}" for n in range(100)]
    assert delivery.at_risk == 0
    assert adds_up(delivery)


def test_the_spool_is_used_again_when_the_disk_works(tmp_path):
    """Disk, memory, disk: messages leave in the order they were logged, and the later ones are on disk again."""
    transport = FakeTransport(otherwise=DOWN)
    spool = tmp_path / "spool"
    delivery, time = make(transport, spool=spool, flush_interval=3600)
    broken(spool)
    for n in range(20):
        delivery.put(event(f"e{n}"))
    os.unlink(spool)
    time.now += 2
    delivery.tidy()
    for n in range(20, 40):
        delivery.put(event(f"e{n}"))
    assert left_on_disk(spool) == [f"e{n}" for n in range(20, 40)]
    assert delivery.at_risk == 20
    transport.otherwise = OK
    assert delivery.flush()
    assert transport.names == [f"e{n}" for n in range(40)]


@pytest.mark.parametrize(("overflow", "kept"), [("drop_oldest", range(990, 1000)), ("drop_newest", range(10))])
def test_memory_is_bounded_while_the_disk_takes_nothing(tmp_path, overflow, kept):
    """What a disk doesn't take is bounded by `max_pending`, and dropped by the policy, each drop counted."""
    transport = FakeTransport(otherwise=DOWN)
    spool = tmp_path / "spool"
    broken(spool)
    delivery, _ = make(transport, spool=spool, max_pending=10, overflow=overflow, flush_interval=3600)
    for n in range(1000):
        delivery.put(event(f"e{n}"))
        assert delivery.stats().pending <= 10
    assert delivery.stats().dropped == {"overflow": 990}
    transport.otherwise = OK
    assert delivery.flush()
    # The window of five that had left the queue is older than what the policy could drop.
    assert len(transport.names) == 10
    assert transport.names[-5:] == [f"e{n}" for n in kept][-5:]
    assert adds_up(delivery)


def test_a_full_disk_in_a_real_process(tmp_path):
    """A process whose files may not grow logs on, says so, and delivers everything once its server is back."""
    script = """
        import resource, sys, logging
        logging.basicConfig(format="%(message)s")
        from proc_child import adds_up, door, listen, say, track
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        log, handler = door(spool=sys.argv[1])
        track(log, 2000)
        handler.flush(0.2)
        say("held", handler.delivery.at_risk)
        listen()
        say(handler.flush(20), adds_up(handler.stats()))
    """
    with serving() as server:
        server.refuse_connections()

        def bring_back(process):
            assert process.stdout.readline().strip() == "held 2000"
            server.accept_connections()
            process.stdin.write("\n")
            process.stdin.flush()

        done = run(server, script, tmp_path / "spool", meanwhile=bring_back)
        assert done.lines == ["True True"]
        assert "the spool can't be written" in done.err
        assert each_once(server, range(2000))


def test_a_message_larger_than_the_spool_drops_no_other(tmp_path):
    """What can never fit is dropped, counted, and nothing makes room for it in vain."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = make(transport, spool=tmp_path, spool_max_bytes=64 * 1024, flush_interval=3600)
    for n in range(50):
        delivery.put(event(f"e{n}"))
    delivery.put(event("huge", text="x" * 70_000))
    assert delivery.stats().dropped == {"overflow": 1}
    assert left_on_disk(tmp_path) == [f"e{n}" for n in range(50)]


def test_a_read_only_file_system(tmp_path):
    """A spool on a file system that is mounted read-only is one that can't be written: told, and nothing is lost."""
    script = """
        import logging, subprocess, sys
        logging.basicConfig(format="%(message)s")
        from proc_child import door, say, track
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", sys.argv[1]], check=True)
        log, handler = door(spool=sys.argv[1])
        track(log, 50)
        say(handler.flush(20), handler.stats().delivered)
    """
    own_mounts = ["unshare", "--mount", "sh", "-c", f"mount -t tmpfs none {tmp_path}"]
    if shutil.which("unshare") is None or subprocess.run(own_mounts, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    with serving() as server:
        done = run(server, f"import ctypes; ctypes.CDLL(None).unshare(0x20000)\n{textwrap.dedent(script)}", tmp_path)
        assert done.lines == ["True 50"], done.err
        assert "the spool can't be written" in done.err
        assert each_once(server, range(50))
