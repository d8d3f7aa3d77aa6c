"""Real file systems that are full, read-only or another user's, mounted where nobody else sees them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from tests.delivery.spool.spools import Hands, left_on_disk

_ROOT = Path(__file__).parents[3]
_MOUNT = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'
_HEAD = """
import os, subprocess, sys, threading
from tests.delivery.fakes import DOWN, OK, FakeTransport, adds_up, event
from tests.delivery.spool.spools import Hands, left_on_disk, spooled

folder = sys.argv[1]

def put(delivery, numbers, **properties):
    for n in numbers:
        delivery.put(event(f"e{n}", **properties))

def e(numbers):
    return [f"e{n}" for n in numbers]

def later(delivery, time, seconds=2.0):
    time.sleep(seconds)
    delivery.tidy()

said = []

def told(delivery):
    delivery.tell_news_here()
    for thread in threading.enumerate():
        if thread.name == "robotmia-report":
            thread.join(10)
    return " ".join(said)
"""


def mounts() -> str:
    """Why no file system can be mounted here; nothing if one can."""
    try:
        command = ["unshare", "-m", "sh", "-c", _MOUNT, "sh", "size=64k", "/tmp", "true"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except OSError as error:
        return str(error)
    return done.stderr.strip() or f"unshare and mount end with {done.returncode}" if done.returncode else ""


WHY_NOT = mounts()
mounted = pytest.mark.skipif(bool(WHY_NOT), reason=f"needs to mount a file system of its own: {WHY_NOT}")


def on(folder, options, script):
    """Run a script on a file system of its own; its assertions are the test."""
    folder.mkdir(exist_ok=True)
    code = _HEAD + textwrap.dedent(script)
    command = ["unshare", "-m", "sh", "-c", _MOUNT, "sh", options, str(folder)]
    run_script([*command, sys.executable, "-c", code, str(folder)])


def run_script(command, **options):
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30, env=environment, cwd=_ROOT, **options
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@mounted
def test_a_disk_that_runs_full_and_has_room_again(tmp_path):
    """ENOSPC: messages go on in memory, it is said, and with room again to disk; all leave in order, none is lost."""
    script = """
        transport = FakeTransport(otherwise=DOWN)
        delivery, time = spooled(transport, folder, said=said, max_pending=100_000)
        ballast = os.path.join(folder, "ballast")
        with open(ballast, "wb") as file:
            file.write(bytes(600 * 1024))
        count = 0
        while not delivery.at_risk:
            put(delivery, [count], pad="x" * 500)
            count += 1
            assert count < 3000
        assert count > 100
        put(delivery, range(count, count + 50), pad="x" * 500)
        later(delivery, time)
        assert "can't be written" in (words := told(delivery)), words
        assert "No space left" in words, words
        assert delivery.at_risk == 51
        assert adds_up(delivery)
        os.unlink(ballast)
        later(delivery, time)
        put(delivery, range(count + 50, count + 100))
        assert delivery.at_risk == 51
        assert left_on_disk(folder) == e([*range(count - 1), *range(count + 50, count + 100)])
        transport.otherwise = OK
        assert delivery.flush()
        assert transport.names == e(range(count + 100))
        assert delivery.stats().dropped == {}
        delivery.close()
        assert os.listdir(folder) == []
    """
    on(tmp_path / "disk", "size=1m", script)


@mounted
def test_a_full_disk_is_no_crash_at_the_store(tmp_path):
    """A disk that runs full behind a segment's back does no harm: its bytes were set aside when it was made."""
    script = """
        hands = Hands(folder)
        hands.log("first")
        try:
            with open(os.path.join(folder, "ballast"), "wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        except OSError:
            pass
        hands.log(*e(range(1000)))
        assert len(left_on_disk(folder)) == 1001
        assert len(hands.deliver()) == 1001
        hands.close()
    """
    on(tmp_path / "disk", "size=512k", script)


@mounted
def test_a_full_disk_does_not_keep_dead_processes_messages(tmp_path):
    """What was left is adopted and delivered on a disk without a free byte, and makes room."""
    script = """
        dead = Hands(folder)
        dead.log(*e(range(1000)))
        dead.crash()
        try:
            with open(os.path.join(folder, "ballast"), "wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        except OSError:
            pass
        transport = FakeTransport()
        delivery, time = spooled(transport, folder, said=said)
        delivery.put(event("mine"))
        assert delivery.at_risk == 1
        assert delivery.flush()
        assert sorted(transport.names) == sorted([*e(range(1000)), "mine"])
        later(delivery, time)
        delivery.put(event("again"))
        assert delivery.at_risk == 0
        assert delivery.flush()
    """
    on(tmp_path / "disk", "size=512k", script)


@mounted
def test_a_disk_without_a_free_inode_is_not_littered(tmp_path):
    """Where folders or files can't be made, tries leave nothing behind, and end when they can."""
    script = """
        names = [os.path.join(folder, f"file {n}") for n in range(9)]
        made = []
        for name in names:
            try:
                open(name, "w").close()
                made.append(name)
            except OSError:
                break
        transport = FakeTransport(otherwise=DOWN)
        delivery, time = spooled(transport, folder, said=said)
        put(delivery, range(10))
        for free in range(3):
            for _ in range(20):
                later(delivery, time)
            assert sorted(os.listdir(folder)) == sorted(map(os.path.basename, made)), free
            assert delivery.at_risk == 10
            if free < 2:
                os.unlink(made.pop())
        os.unlink(made.pop())
        later(delivery, time)
        put(delivery, range(10, 20))
        assert delivery.at_risk == 10
        assert left_on_disk(folder) == e(range(10, 20))
        transport.otherwise = OK
        assert delivery.flush()
        assert transport.names == e(range(20))
    """
    on(tmp_path / "disk", "size=4m,nr_inodes=8", script)


@mounted
def test_a_read_only_file_system(tmp_path):
    """EROFS: new messages wait in memory and are delivered, what was left waits, both are told; then all goes on."""
    script = """
        dead = Hands(folder)
        dead.log("left a", "left b")
        dead.crash()
        remount = lambda how: subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)
        remount("ro")
        transport = FakeTransport(otherwise=DOWN)
        delivery, time = spooled(transport, folder, said=said)
        put(delivery, range(10))
        assert delivery.flush(1) is False
        assert delivery.at_risk == delivery.stats().pending == 10
        words = told(delivery)
        assert "can't be written" in words, words
        assert "can't be taken" in words, words
        assert "Read-only file system" in words, words
        transport.otherwise = OK
        assert delivery.flush() is True
        assert transport.names == e(range(10))
        assert left_on_disk(folder) == ["left a", "left b"]
        remount("rw")
        put(delivery, range(10, 20))
        assert delivery.flush() is True
        assert sorted(transport.names) == sorted([*e(range(20)), "left a", "left b"])
        later(delivery, time)
        put(delivery, [20])
        assert delivery.at_risk == 0
        assert delivery.flush()
        assert adds_up(delivery)
        delivery.close()
        assert os.listdir(folder) == []
    """
    on(tmp_path / "disk", "size=4m", script)


# --- another user's


as_nobody = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def run_as_nobody(script, folder):
    """Run a script as a user who may do little."""
    # Only once all is imported: what we are installed in may be root's alone.
    code = f"{_HEAD}\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n{textwrap.dedent(script)}"
    run_script([sys.executable, "-c", code, str(folder)])


@pytest.fixture
def shared():
    """A folder that every user can get at."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield folder


@as_nobody
def test_another_users_messages_are_in_nobodys_way(shared):
    """Of two users who share a spool each keeps and delivers its own; what can't be taken is told of, and stays."""
    theirs = Hands(shared)
    theirs.log("theirs")
    theirs.crash()
    script = """
        transport = FakeTransport()
        delivery, time = spooled(transport, folder, said=said)
        put(delivery, range(10))
        assert delivery.at_risk == 0
        assert delivery.flush() is True
        assert transport.names == e(range(10))
        words = told(delivery)
        assert "can't be taken" in words, words
        assert "can't be written" not in words, words
        delivery.close()
    """
    run_as_nobody(script, shared)
    assert left_on_disk(shared) == ["theirs"]
    assert len(os.listdir(shared)) == 1


@as_nobody
def test_a_folder_that_may_not_be_written(shared):
    """Without the right to write there messages wait in memory; given the right, they go to disk."""
    script = """
        os.mkdir(mine := os.path.join(folder, "mine"), 0o500)
        transport = FakeTransport(otherwise=DOWN)
        delivery, time = spooled(transport, mine, said=said)
        put(delivery, range(10))
        later(delivery, time)
        assert delivery.at_risk == 10
        assert "Permission denied" in told(delivery)
        os.chmod(mine, 0o700)
        later(delivery, time)
        put(delivery, range(10, 20))
        assert left_on_disk(mine) == e(range(10, 20))
        transport.otherwise = OK
        assert delivery.flush()
        assert transport.names == e(range(20))
    """
    run_as_nobody(script, shared)


@as_nobody
def test_a_chain_that_may_not_be_changed(shared):
    """What was left in a folder that can't be written is delivered as far as can be, or told of; nothing leaks."""
    script = """
        dead = Hands(folder)
        dead.log("a")
        [chain] = [chain.folder for chain in dead.spool.writer.chains]
        dead.deliver()
        dead.crash()
        os.chmod(chain, 0o500)
        transport = FakeTransport()
        delivery, time = spooled(transport, folder, said=said)
        before = len(os.listdir("/dev/fd"))
        for _ in range(10):
            assert delivery.flush() is True
            later(delivery, time, 20.0)
        assert len(os.listdir("/dev/fd")) == before
        assert transport.names == []
        assert "can't be taken" in told(delivery)
        os.chmod(chain, 0o700)
        assert delivery.flush() is True
        assert os.listdir(folder) == []
    """
    run_as_nobody(script, shared)
