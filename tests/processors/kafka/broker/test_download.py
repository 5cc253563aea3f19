import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.artifacts import Artifact
from processors.kafka.broker.download import fetch, http_client, repositories
from processors.kafka.broker.ports import free_ports

REMEDY = (
    "check the network, HTTPS_PROXY and REQUESTS_CA_BUNDLE, name a mirror in "
    "FLOWENGINE_MAVEN_MIRROR, or bring the jars from another machine: "
    "`flowengine kafka fetch --to DIR` there, `flowengine kafka start --jars DIR` here"
)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder that a Maven repository on loopback serves, the only one that is asked."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        monkeypatch.setenv("FLOWENGINE_MAVEN_MIRROR", f"http://user:hush@{address}/")
        yield folder
        server.shutdown()
        thread.join()


def published(mirror, name, content, sha256=None):
    digest = sha256 or hashlib.sha256(content).hexdigest()
    artifact = Artifact("org.example", name, "1.0", len(content), digest)
    path = mirror / artifact.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return artifact


def test_jars_come_from_the_mirror_and_every_byte_is_reported(mirror, tmp_path):
    artifacts = tuple(published(mirror, f"thing-{n}", b"x" * n * 1000) for n in range(1, 12))
    heard: list[int] = []
    fetch(tmp_path / "jars", artifacts, heard.append)
    assert all((tmp_path / "jars" / each.path).stat().st_size == each.size for each in artifacts)
    assert sum(heard) == sum(each.size for each in artifacts)


def test_nothing_but_the_jars_is_left_behind(mirror, tmp_path):
    artifact = published(mirror, "thing", b"jar")
    fetch(tmp_path / "jars", (artifact,), lambda count: None)
    files = [path for path in (tmp_path / "jars").rglob("*") if path.is_file()]
    assert files == [tmp_path / "jars" / artifact.path]


def test_a_jar_with_another_hash_is_not_kept(mirror, tmp_path):
    artifact = published(mirror, "thing", b"jar", sha256="0" * 64)
    with pytest.raises(EnvironmentFault) as fault:
        fetch(tmp_path / "jars", (artifact,), lambda count: None)
    assert str(fault.value) == (
        f"kafka artifact 'org.example:thing:1.0' must have the SHA-256 {'0' * 64}; "
        f"got {hashlib.sha256(b'jar').hexdigest()}; "
        "download it again, or ask who runs the mirror"
    )
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_jar_that_the_repository_lacks_is_named_without_the_mirrors_password(mirror, tmp_path):
    with pytest.raises(EnvironmentFault) as fault:
        fetch(tmp_path / "jars", (Artifact("g", "absent", "1", 1, ""),), lambda count: None)
    assert str(fault.value) == (
        f"kafka artifact 'g:absent:1' must be downloadable; got status 404; {REMEDY}"
    )


def test_a_repository_that_cannot_be_reached_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWENGINE_MAVEN_MIRROR", f"http://127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(EnvironmentFault) as fault:
        fetch(tmp_path / "jars", (Artifact("g", "thing", "1", 1, ""),), lambda count: None)
    assert str(fault.value) == (
        f"kafka artifact 'g:thing:1' must be downloadable; got ConnectError; {REMEDY}"
    )


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault) as fault:
        fetch(tmp_path / "file" / "jars", (Artifact("g", "thing", "1", 1, ""),), lambda count: None)
    assert str(fault.value) == (
        f"kafka jar folder '{tmp_path}/file/jars' must be writable; got Not a directory; "
        "make room, or name another folder in FLOWENGINE_CACHE"
    )


def test_the_usual_repository_is_left_to_jgo(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert repositories({}) is None


def test_a_private_authority_that_is_no_file_is_refused_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        http_client({"REQUESTS_CA_BUNDLE": str(tmp_path / "absent.pem")})
