"""One server for all tests that only ask it; those that kill it start their own."""

from collections.abc import Iterator

import pytest

from tests.web.serving import Server, serving


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """The shared server, without flows of the test before."""
    yield shared_server
    for flow in shared_server.get("/flows")["flows"]:
        id = flow["id"]
        shared_server.post(f"/flows/{id}/stop", {"drain": False})
        shared_server.until_state(id, "stopped")
        shared_server.ask("DELETE", f"/flows/{id}")
    for path in shared_server.flows.rglob("*.json"):
        path.unlink()
