"""Where a runner can be reached, and who may listen there."""

import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from flowengine.control import address
from flowengine.control.address import LONGEST_PATH, Runner
from flowengine.errors import EnvironmentFault, LockedError


def test_the_socket_of_a_deep_directory_has_a_short_path(tmp_path):
    deep = tmp_path.joinpath(*["a-long-name-of-a-folder"] * 20)
    path = address.socket_path(deep, {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert len(str(path)) <= LONGEST_PATH
    assert path != address.socket_path(tmp_path, {"XDG_RUNTIME_DIR": str(tmp_path)})


def test_a_long_folder_for_temporary_files_is_not_used(tmp_path):
    long = tmp_path / ("x" * 100)
    directory = address.socket_directory({"TMPDIR": str(long)})
    assert str(directory).startswith("/tmp/flowengine-")


def test_only_the_owner_can_enter_the_directory_of_the_sockets(tmp_path):
    (tmp_path / "flowengine").mkdir(mode=0o755)
    directory = address.socket_directory({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_link_in_place_of_the_directory_is_refused():
    with TemporaryDirectory(dir="/tmp") as runtime:  # short enough to hold sockets
        (Path(runtime) / "elsewhere").mkdir()
        (Path(runtime) / "flowengine").symlink_to(Path(runtime) / "elsewhere")
        with pytest.raises(EnvironmentFault, match="must belong to uid"):
            address.socket_directory({"XDG_RUNTIME_DIR": runtime})


def test_the_socket_of_a_dead_runner_is_replaced(tmp_path):
    path = tmp_path / "s.sock"
    address.bind_socket(path).close()
    address.bind_socket(path).close()


def test_the_socket_of_a_living_runner_is_refused(tmp_path):
    path = tmp_path / "s.sock"
    with address.bind_socket(path), pytest.raises(LockedError) as caught:
        address.bind_socket(path)
    assert str(caught.value) == (
        f"control socket {str(path)!r} must be free; got a runner that answers on it. Stop that "
        "one, or choose another --data-dir"
    )


def test_another_machine_needs_a_token():
    with pytest.raises(EnvironmentFault) as caught:
        address.bind_tcp("0.0.0.0:0", None)
    assert str(caught.value) == (
        "--listen 0.0.0.0:0 must be a loopback address when no token is set; got 0.0.0.0. Set "
        "FLOWENGINE_TOKEN, or listen on 127.0.0.1"
    )
    address.bind_tcp("0.0.0.0:0", "token").close()


@pytest.mark.parametrize("listen", ["8701", "localhost", "127.0.0.1:http", "127.0.0.1:99999"])
def test_an_address_names_host_and_port(listen):
    with pytest.raises(EnvironmentFault) as caught:
        address.bind_tcp(listen if ":" in listen or listen == "localhost" else f"{listen}:x", None)
    assert "must be HOST:PORT such as 127.0.0.1:8701" in str(caught.value)


def test_a_port_that_is_taken_is_said():
    with address.bind_tcp("127.0.0.1:0", None) as first:
        listen = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(EnvironmentFault) as caught:
            address.bind_tcp(listen, None)
    assert str(caught.value) == (
        f"--listen {listen} must be an address this machine can listen on; got Address already "
        "in use"
    )


def test_who_runs_is_written_and_read(tmp_path):
    runner = Runner(7, 1_700_000_000_000_000, "users", "abc", "/tmp/x.sock", "127.0.0.1:8701")
    address.write_runner(tmp_path, runner)
    assert address.read_runner(tmp_path) == runner
    (tmp_path / address.RUNNER).write_text("nonsense")
    assert address.read_runner(tmp_path) is None
