"""Contents: bytes in memory up to 1 MiB, files above that (E16)."""

import errno
import io

import pytest

from flowengine.content import INLINE_LIMIT, ContentStore, ContentWriter, FileContent
from flowengine.errors import RepositoryError


def written(store: ContentStore, *parts: bytes):
    writer = store.create(1)
    for part in parts:
        writer.write(part)
    return writer.finish()


def test_what_is_small_stays_in_memory_and_makes_no_file(tmp_path):
    store = ContentStore(tmp_path / "content")
    assert written(store, b"ab", b"c") == b"abc"
    assert written(store, b"x" * INLINE_LIMIT) == b"x" * INLINE_LIMIT
    assert store.names() == set()


def test_one_byte_more_makes_a_file_that_can_be_streamed(tmp_path):
    store = ContentStore(tmp_path / "content")
    content = written(store, b"x" * INLINE_LIMIT, b"y")
    assert content == FileContent(f"{1:024x}", INLINE_LIMIT + 1)
    assert len(content) == INLINE_LIMIT + 1
    with store.open(content) as stream:
        assert stream.read(1) == b"x"
    assert store.read(content).endswith(b"xy")


def test_bytes_in_memory_can_be_streamed_too(tmp_path):
    with ContentStore(tmp_path).open(b"abc") as stream:
        assert stream.read() == b"abc"


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(RepositoryError) as caught:
        ContentStore(tmp_path).read(FileContent("gone", 5))
    assert str(caught.value) == (
        f"content file '{tmp_path}/gone' must be readable; got No such file or directory. "
        "Restore it from a backup, or empty the queue that holds its FlowFile"
    )


def test_what_is_discarded_leaves_no_file(tmp_path):
    store = ContentStore(tmp_path)
    writer = store.create(1)
    writer.write(b"x" * (INLINE_LIMIT + 1))
    assert len(store.names()) == 1
    writer.discard()
    assert store.names() == set()
    store.unlink("never there")


class FullDisk(io.BytesIO):
    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_a_fault_of_the_repository_and_not_of_the_flowfile(tmp_path):
    writer = ContentWriter(tmp_path / "content")
    writer._file = FullDisk()
    writer.size = INLINE_LIMIT
    with pytest.raises(RepositoryError) as caught:
        writer.write(b"more")
    assert str(caught.value) == (
        f"content directory '{tmp_path}' must be writable; got No space left on device. "
        "Make room: the flow goes on by itself, nothing queued is lost"
    )
