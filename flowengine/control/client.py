"""ControlClient: ask a running flow, from another process.

>>> from pathlib import Path
>>> from flowengine.control import ControlClient
>>> with ControlClient(Path("data/users-producer")) as runner:  # doctest: +SKIP
...     print(runner.status().queued)
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote

import msgspec

from flowengine.control import address
from flowengine.errors import EnvironmentFault, FlowEngineError
from flowengine.status import FlowStatus

if TYPE_CHECKING:
    import httpx

TIMEOUT = 10.0
MARGIN = 600.0  # s that a backup may take


class Refused(FlowEngineError):
    """The runner answered with a problem. ``problem`` is the RFC 9457 document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail", f"runner must accept; got status {status}")))
        self.status = status
        self.problem = problem


class ControlClient:
    """The control API of the runner on one data directory. Not for several threads.

    Raises EnvironmentFault when no runner answers there, and Refused when it says no.
    """

    def __init__(self, data_dir: Path, timeout: float = TIMEOUT) -> None:
        import httpx

        self.data_dir = data_dir
        self._path = _socket_of(data_dir)
        self._probed = False
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=self._path),
            base_url="http://runner",
            timeout=timeout,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # -- anything ------------------------------------------------------------------------------

    def get(self, path: str, **parameters: Any) -> Any:
        """The decoded answer of a GET."""
        return msgspec.json.decode(self._ask("GET", path, params=parameters).content)

    def post(self, path: str, body: Any = None, **parameters: Any) -> Any:
        """The decoded answer of a POST."""
        answer = self._ask("POST", path, params=parameters, json=body)
        return msgspec.json.decode(answer.content)

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        import httpx

        if not self._probed and not is_running(self.data_dir):
            raise not_running(self.data_dir)  # httpcore leaves a socket open when it cannot connect
        self._probed = True
        try:
            answer = self._http.request(method, path, **how)
        except httpx.ConnectError:
            raise not_running(self.data_dir) from None
        except httpx.TimeoutException:
            raise EnvironmentFault(
                f"runner on {str(self.data_dir)!r} must answer; got none in time. It may be "
                "stopped by a debugger or a full machine"
            ) from None
        except httpx.TransportError as error:
            raise EnvironmentFault(
                f"runner on {str(self.data_dir)!r} must answer; got a connection that broke "
                f"({error}). It may have ended"
            ) from None
        if answer.is_error:
            raise _refused(answer.status_code, answer.content)
        return answer

    # -- what people ask most ------------------------------------------------------------------

    def status(self) -> FlowStatus:
        """The whole flow now."""
        return msgspec.json.decode(self._ask("GET", "/status").content, type=FlowStatus)

    def flowfiles(
        self, connection: str, *, limit: int = 100, newest: bool = False, **attributes: str
    ) -> dict[str, Any]:
        """What waits in a connection; see ``operations.Listing``."""
        wanted = [f"{name}={value}" for name, value in attributes.items()]
        path = f"/connections/{quote(connection)}/flowfiles"
        return cast(dict[str, Any], self.get(path, limit=limit, newest=newest, attribute=wanted))

    def content(self, connection: str, uuid: str) -> bytes:
        """A FlowFile's whole content."""
        path = f"/connections/{quote(connection)}/flowfiles/{uuid}/content"
        return self._ask("GET", path).content

    def empty(self, connection: str) -> int:
        """Throw away what waits in a connection; returns how many FlowFiles that were."""
        return int(self.post(f"/connections/{quote(connection)}/empty")["dropped"])

    def command(self, processor: str, verb: str, body: Mapping[str, Any] | None = None) -> Any:
        """start, stop, run-once, terminate, clear-state, or properties with new values."""
        return self.post(f"/processors/{quote(processor)}/{verb}", body)

    def stop(self, *, drain: bool = True) -> None:
        """Ask the runner to stop; it may answer and still be draining."""
        self.post("/stop", drain=drain)

    def backup(self, to: Path) -> dict[str, Any]:
        """Write one consistent cut into a new directory."""
        answer = self._ask("POST", "/backup", params={"to": str(to.absolute())}, timeout=MARGIN)
        return cast(dict[str, Any], msgspec.json.decode(answer.content))

    @contextmanager
    def events(self) -> Iterator[Iterator[tuple[str, Any]]]:
        """Server-sent events as (kind, value): ``snapshot`` first, then ``delta`` each second."""
        with self._http.stream("GET", "/status/stream") as answer:
            yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, msgspec.json.decode(value.encode())


def _refused(status: int, body: bytes) -> Refused:
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        problem = {}
    return Refused(status, problem)


def _socket_of(data_dir: Path) -> str:
    """The socket that the runner wrote down, else the one it would use."""
    runner = address.read_runner(data_dir)
    return runner.socket if runner is not None else str(address.socket_path(data_dir))


def not_running(data_dir: Path) -> EnvironmentFault:
    """The error for a data directory whose flow does not run."""
    return EnvironmentFault(
        f"data directory {str(data_dir)!r} must have a running flow; got none that answers. Start "
        "it with `flowengine run`, or name another --data-dir"
    )


def is_running(data_dir: Path) -> bool:
    """Whether a runner answers on this data directory; a server adopts it then."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(_socket_of(data_dir)) in (0, errno.EAGAIN)
