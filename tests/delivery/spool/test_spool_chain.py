"""A chain: one process's segments under one lock, which ends with the process and passes to one other only."""

from __future__ import annotations

import os
import re
import stat

import pytest

from robotmia_logging.delivery.spool.chain import Chain, chain_folders, segment_files, spool_bytes
from tests.delivery.fakes import WALL
from tests.delivery.spool.spools import Hands, left_on_disk, segments


@pytest.fixture(params=[0, 0o022, 0o077])
def umask(request):
    """Whatever umask the process has."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_only_their_owner_may_read_the_files(tmp_path, umask):
    """Files are 0600 and folders 0700, whatever the umask allows."""
    hands = Hands(tmp_path / "spool", segment_bytes=1024)
    hands.log(*"abcdefgh", size=300)
    [chain] = chain_folders(str(tmp_path / "spool"))
    assert {mode(tmp_path / "spool"), mode(chain)} == {0o700}
    files = [os.path.join(chain, name) for name in os.listdir(chain)]
    assert len(files) > 3
    assert {mode(file) for file in files} == {0o600}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    """A spool's folder that the user made is the user's."""
    tmp_path.chmod(0o755)
    Hands(tmp_path).log("a")
    assert mode(tmp_path) == 0o755
    assert mode(chain_folders(str(tmp_path))[0]) == 0o700


def test_nothing_is_made_before_the_first_message(tmp_path):
    """A spool that isn't written to leaves no trace."""
    hands = Hands(tmp_path / "spool")
    hands.chores(adopt=True)
    hands.close()
    assert os.listdir(tmp_path) == []


def test_names_tell_time_and_process(tmp_path):
    """A chain is named by when it began and the process, so that names sort by age."""
    chain = Chain.create(str(tmp_path), WALL + 0.25)
    assert os.path.basename(chain.folder) == f"20231114T221320.250000-{os.getpid()}-000"
    assert [path for _, path in segment_files(chain.folder)] == []
    assert os.path.basename(chain.new_segment(1024).path) == "000001.jsonl"
    assert os.path.basename(chain.new_segment(1024).path) == "000002.jsonl"
    chain.release()


def test_chains_of_the_same_instant_have_names_of_their_own(tmp_path):
    """Several doors of a process may begin at once; a clock may be set back to the very instant."""
    chains = [Chain.create(str(tmp_path), WALL) for _ in range(3)]
    assert [chain.folder[-4:] for chain in chains] == ["-000", "-001", "-002"]
    for chain in chains:
        chain.release()


@pytest.mark.parametrize("wall", [0.0, 1.0, WALL, 253402300799.0, WALL + 0.9999999])
def test_any_time_of_day_makes_a_name(tmp_path, wall):
    """A clock that is far off, before it was set, or a hair before a second's end makes a chain that others find."""
    chain = Chain.create(str(tmp_path), wall)
    assert chain_folders(str(tmp_path)) == [chain.folder]
    chain.release()


def test_a_clock_set_back_between_chains(tmp_path):
    """Chains that the clock put into the wrong order are found all the same, each in its own order."""
    first = Hands(tmp_path)
    first.log("a", "b")
    first.spool.writer.end_chain()
    first.wall -= 86_400
    first.log("c", "d")
    first.crash()
    second = Hands(tmp_path)
    assert second.chores(adopt=True) == 4
    assert second.deliver() == ["c", "d", "a", "b"]
    second.chores()
    assert os.listdir(tmp_path) == []


# --- the lock


def test_nobody_takes_the_chain_of_a_living_process(tmp_path):
    """A lock that is held can't be had; once it is free, the first takes it and no other."""
    owner = Hands(tmp_path)
    owner.log("a")
    finders = [Hands(tmp_path) for _ in range(3)]
    assert [finder.chores(adopt=True) for finder in finders] == [0, 0, 0]
    owner.crash()
    assert [finder.chores(adopt=True) for finder in finders] == [1, 0, 0]


def test_two_doors_of_a_process_leave_each_other_alone(tmp_path):
    """Locks count between the deliveries of one process, too."""
    one, other = Hands(tmp_path), Hands(tmp_path)
    one.log("a")
    other.log("b")
    assert one.chores(adopt=True) == other.chores(adopt=True) == 0
    assert (one.deliver(), other.deliver()) == (["a"], ["b"])


def test_an_adopted_chain_passes_on(tmp_path):
    """When the adopter dies, too, the next finds what is still to be sent, and only that."""
    owner = Hands(tmp_path, segment_bytes=1024)
    owner.log(*"abcdefgh", size=200)
    owner.crash()
    for rest in ("abcdefgh", "cdefgh", "gh"):
        finder = Hands(tmp_path)
        assert finder.chores(adopt=True) == len(rest)
        items = finder.read()
        finder.reader.settle(items[: 2 if len(rest) == 8 else 4])
        finder.crash()
    last = Hands(tmp_path)
    assert last.chores(adopt=True) == 0
    assert os.listdir(tmp_path) == []


def test_more_orphans_than_are_taken_at_a_time(tmp_path):
    """Of many chains four are taken at a time, the oldest first; further ones when those are done."""
    for n in range(11):
        owner = Hands(tmp_path)
        owner.pass_time(n)
        owner.log(f"{n:02}")
        owner.crash()
    finder = Hands(tmp_path)
    rounds = []
    while finder.chores(adopt=not rounds):
        rounds.append(finder.deliver())
    assert [len(names) for names in rounds] == [4, 4, 3]
    assert [name for names in rounds for name in names] == [f"{n:02}" for n in range(11)]
    finder.chores()
    assert os.listdir(tmp_path) == []


def test_a_chain_whose_lock_was_deleted_is_found(tmp_path):
    """What deletes old files may delete a lock, for it is never written: the messages beside it aren't lost."""
    owner = Hands(tmp_path)
    owner.log("a")
    [folder] = chain_folders(str(tmp_path))
    os.unlink(os.path.join(folder, "lock"))
    owner.crash()
    finder = Hands(tmp_path)
    assert finder.chores(adopt=True) == 1
    assert finder.deliver() == ["a"]
    finder.chores()
    assert os.listdir(tmp_path) == []


def test_a_lock_in_use_looks_young(tmp_path):
    """A living process touches its lock, lest it be deleted for its age."""
    hands = Hands(tmp_path)
    hands.log("a")
    lock = os.path.join(chain_folders(str(tmp_path))[0], "lock")
    os.utime(lock, (1, 1))
    hands.chores(adopt=True)
    assert os.stat(lock).st_mtime > 1


def test_threads_that_begin_at_once_begin_one_chain(tmp_path):
    """Of several first messages one begins the chain; what the others' threads made is cleared away."""
    hands = Hands(tmp_path)
    writer = hands.spool.writer
    seam = writer.last
    late = writer._make(None, 1024)  # a thread halted here, while another...
    [message] = hands.log("a")
    assert writer._follow(seam, late) is message.place.link
    hands.chores()
    assert chain_folders(str(tmp_path)) == [message.place.link.chain.folder]
    assert hands.deliver() == ["a"]
    hands.close()
    assert os.listdir(tmp_path) == []


# --- what processes leave when they are killed amid something


@pytest.mark.parametrize("left", [[], ["lock"], ["000001.jsonl"], ["lock", "000001.jsonl"], ["000001.jsonl", "lock"]])
def test_what_was_just_begun_or_almost_done_is_cleared_away(tmp_path, left):
    """A chain without messages, whatever files it has, is removed by whoever finds it, and nobody stumbles over it."""
    folder = tmp_path / "20231114T221320.250000-4711-000"
    folder.mkdir()
    for name in left:
        (folder / name).touch()
    hands = Hands(tmp_path)
    assert hands.chores(adopt=True) == 0
    assert hands.notes == []
    assert os.listdir(tmp_path) == []


def test_numbers_may_have_gaps(tmp_path):
    """Segments done and deleted leave gaps; what remains is read in the order of the numbers, as numbers."""
    owner = Hands(tmp_path, segment_bytes=1024)
    owner.log(*"abcdefgh", size=600)
    files = segments(tmp_path)
    assert len(files) == 8
    for index in (0, 3, 4):
        os.unlink(files[index])
    owner.crash()
    os.rename(files[1], os.path.join(os.path.dirname(files[1]), "1000000.jsonl"))
    finder = Hands(tmp_path)
    assert finder.chores(adopt=True) == 5
    assert finder.deliver() == ["c", "f", "g", "h", "b"]


# --- foreign things


def test_foreign_files_and_folders_are_left_alone(tmp_path):
    """What isn't the spool's is neither read nor deleted nor in the way."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "000001.jsonl").write_text('{"endpoint":"track"}\n')
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "000001.jsonl").write_text("x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "20231114T221320.250000-4711-000.bak").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    before = sorted(os.listdir(tmp_path))
    hands = Hands(tmp_path)
    assert hands.chores(adopt=True) == 0
    hands.log("a")
    assert left_on_disk(tmp_path) == ["a"]
    assert hands.deliver() == ["a"]
    hands.close()
    assert sorted(os.listdir(tmp_path)) == before
    assert hands.notes == []
    assert (tmp_path / "backup" / "000001.jsonl").read_text() == "x"


def test_a_file_with_a_chains_name_is_in_nobodys_way(tmp_path):
    """A plain file where a folder is expected is told of; the spool works, and its bytes are counted."""
    odd = tmp_path / "20231114T221320.250000-4711-000"
    odd.write_text("mine")
    hands = Hands(tmp_path)
    [message] = hands.log("a")
    assert message.place.link.is_durable
    assert hands.chores(adopt=True) == 0
    assert spool_bytes(str(tmp_path)) == 256 * 1024
    assert odd.read_text() == "mine"
    assert all("can't be taken" in cause for cause, _ in hands.notes)


def test_foreign_files_in_a_chain_stay(tmp_path):
    """A chain that is done is removed, but for what somebody else put there; that is told, and holds up nothing."""
    owner = Hands(tmp_path)
    owner.log("a")
    [folder] = chain_folders(str(tmp_path))
    with open(os.path.join(folder, "notes.txt"), "w") as file:
        file.write("mine")
    owner.crash()
    finder = Hands(tmp_path)
    finder.chores(adopt=True)
    assert finder.deliver() == ["a"]
    for _ in range(5):
        finder.chores(adopt=True)
    assert os.listdir(folder) == ["notes.txt"]
    assert len(finder.notes) == 1
    assert finder.spool._adopted == []


def test_a_folder_where_a_segment_should_be(tmp_path):
    """A chain that can't be read is told of and left as it is; others are taken."""
    owner = Hands(tmp_path)
    owner.log("a")
    [folder] = chain_folders(str(tmp_path))
    os.mkdir(os.path.join(folder, "000002.jsonl"))
    owner.crash()
    other = Hands(tmp_path)
    other.pass_time(5)
    other.log("b")
    other.crash()
    finder = Hands(tmp_path)
    assert finder.chores(adopt=True) == 1
    assert finder.deliver() == ["b"]
    [(cause, detail)] = finder.notes
    assert "can't be taken" in cause
    assert "000002.jsonl" in detail
    assert left_on_disk_of(folder) == 1


def left_on_disk_of(folder):
    with open(os.path.join(folder, "000001.jsonl"), "rb") as file:
        return file.read().count(b'{"endpoint"')


def test_a_chain_that_cannot_be_read_leaks_no_descriptors(tmp_path):
    """It is tried again and again: each time all that was opened is closed."""
    owner = Hands(tmp_path)
    owner.log("a")
    [folder] = chain_folders(str(tmp_path))
    os.mkdir(os.path.join(folder, "000002.jsonl"))
    owner.crash()
    finder = Hands(tmp_path)
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        finder.chores(adopt=True)
    assert len(os.listdir("/dev/fd")) <= before


def test_repr(tmp_path):
    """A chain shows where it is."""
    chain = Chain.create(str(tmp_path), WALL)
    assert re.fullmatch(rf"<Chain {tmp_path}/20231114T221320.000000-\d+-000 0 segments>", repr(chain))
    chain.release()
