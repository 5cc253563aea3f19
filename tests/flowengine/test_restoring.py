import shutil
import time

import pytest

from flowengine.content import FileContent
from flowengine.errors import EnvironmentFault, LockedError, RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.repository import SqliteRepository
from flowengine.repository.lock import DirectoryLock
from flowengine.repository.store import Cut, NewRow, Run, Store
from flowengine.restoring import check_backup, restore_backup


def make_store(folder, epoch=1):
    """A store with one FlowFile whose content is a file."""
    (folder / "content").mkdir(parents=True)
    (folder / "content" / "a").write_bytes(b"large")
    store = Store(folder / "flow.db")
    store.prepare()
    flowfile = FlowFile(1, {}, FileContent("a", 5), 5, 0, 0, 0, None)
    row = NewRow(1, "a-b", [Run(0, 1, 5, False, 0, None)], [[flowfile]], ["a"])
    store.write(Cut(rows=[row], meta={"epoch": epoch}))
    store.close()
    return folder


@pytest.fixture
def backup(tmp_path):
    return make_store(tmp_path / "backup")


def epoch_in(folder):
    store = Store(folder / "flow.db")
    epoch = store.meta()["epoch"]
    store.close()
    return epoch


def test_a_restored_directory_opens_with_its_flowfiles_and_contents(backup, tmp_path):
    assert restore_backup(backup, tmp_path / "data") == 1
    repository = SqliteRepository(tmp_path / "data")
    assert repository.recover().connections == {"a-b": 1}
    repository.abandon()
    assert (tmp_path / "data" / "content" / "a").read_bytes() == b"large"


def test_the_backup_stays_as_it_was(backup, tmp_path):
    restore_backup(backup, tmp_path / "data")
    (tmp_path / "data" / "content" / "a").write_bytes(b"other")
    assert (backup / "content" / "a").read_bytes() == b"large"
    assert check_backup(backup) == 1


def test_no_id_is_used_twice_after_a_restore(backup, tmp_path):
    restore_backup(backup, tmp_path / "data")
    assert epoch_in(tmp_path / "data") >= int(time.time()) - 60
    later = make_store(tmp_path / "later", epoch=1 << 39)
    restore_backup(backup, later, force=True)
    assert epoch_in(later) == 1 << 39


def test_a_replaced_store_leaves_nothing_behind(backup, tmp_path):
    data = make_store(tmp_path / "data")
    (data / "content" / "old").write_bytes(b"old")
    restore_backup(backup, data, force=True)
    assert sorted(path.name for path in data.iterdir()) == ["content", "flow.db", "lock"]
    assert [path.name for path in (data / "content").iterdir()] == ["a"]


def test_a_damaged_store_can_be_replaced(backup, tmp_path):
    data = make_store(tmp_path / "data")
    (data / "flow.db").write_bytes(b"no database at all" * 100)
    assert restore_backup(backup, data, force=True) == 1


def test_a_store_is_not_replaced_without_force(backup, tmp_path):
    data = make_store(tmp_path / "data")
    with pytest.raises(EnvironmentFault, match="must be empty to be restored; got a store in it"):
        restore_backup(backup, data)


def test_a_running_flow_is_not_replaced(backup, tmp_path):
    lock = DirectoryLock(tmp_path / "data")
    lock.acquire()
    with pytest.raises(LockedError):
        restore_backup(backup, tmp_path / "data", force=True)
    lock.release()


def test_a_backup_without_a_content_file_is_refused_and_nothing_happens(backup, tmp_path):
    data = make_store(tmp_path / "data")
    shutil.rmtree(backup / "content")
    with pytest.raises(RepositoryError) as caught:
        restore_backup(backup, data, force=True)
    assert str(caught.value) == (
        f"backup '{backup}' must hold every content file; got 1 missing, such as 'a'"
    )
    assert check_backup(data) == 1
