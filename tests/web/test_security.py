"""Who may do what, and what no request gets."""

from __future__ import annotations

import re

import pytest

from flowengine.errors import DefinitionError
from tests.web.serving import TOKEN, pipeline
from web.app import create_app
from web.config import ServerConfig, checked
from web.security.accounts import Accounts
from web.security.limits import LoginLimit
from web.security.roles import LABELS, Role
from web.site import Site
from web.store import Store

PASSWORD = "long enough for a test"


@pytest.fixture
def accounts(tmp_path):
    store = Store(tmp_path / "server.db")
    yield Accounts(store, None)
    store.close()


@pytest.fixture(scope="session")
def role_clients(shared_server):
    """A logged-in client of each role."""
    clients = {}
    for role in LABELS:
        body = {"role": role, "password": PASSWORD}
        assert shared_server.ask("PUT", f"/users/{role}", json=body).status_code == 204
        client = shared_server.client({"X-Requested-With": "flowengine"})
        form = {"name": role, "password": PASSWORD}
        assert client.post("/login", data=form).status_code == 303
        clients[role] = client
    yield clients
    for client in clients.values():
        client.close()


def operations_of(server):
    """Method, path with made-up ids, role of every operation."""
    paths = server.get("/openapi.json")["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield method.upper(), re.sub(r"\{[^}]+\}", "1", path), operation["x-role"]


def test_every_operation_of_the_document_is_refused_below_its_role(server, role_clients):
    seen = set()
    for method, path, needed in operations_of(server):
        if needed == "anybody":
            continue
        seen.add(needed)
        for role, client in role_clients.items():
            if Role.of(role) >= Role.of(needed):
                continue
            answer = client.request(method, path, json={})
            assert answer.status_code == 403, (method, path, role, answer.text)
            assert answer.json()["detail"] == (
                f"user {role!r} must be {needed} or above for this; got {role}"
            )
    assert seen == set(LABELS)


def test_every_operation_of_the_document_wants_somebody_known(server):
    with server.client() as nobody:
        for method, path, needed in operations_of(server):
            if needed != "anybody":
                assert nobody.request(method, path, json={}).status_code == 401, path


def test_every_role_reads_and_an_unknown_flow_is_no_500(server, role_clients):
    for method, path, needed in operations_of(server):
        if method == "GET" and needed == "viewer" and not path.endswith("/events"):
            for client in role_clients.values():
                assert client.get(path).status_code < 500, path


def test_the_printed_address_opens_a_session_once_and_leaves_no_token(server):
    with server.client() as browser:
        answer = browser.get(f"/?token={TOKEN}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert browser.get("/api/v1/version").json()["role"] == "admin"
        assert browser.post("/logout").status_code == 303
        assert browser.get("/api/v1/version").status_code == 401


def test_a_write_with_a_cookie_needs_our_header_and_our_origin(server):
    with server.client() as browser:
        browser.get(f"/?token={TOKEN}")
        bare = browser.post("/api/v1/flows", json={"id": "x"})
        assert (bare.status_code, bare.json()["detail"]) == (
            403,
            "a browser's write must carry the header X-Requested-With: flowengine; got none",
        )
        headers = {"X-Requested-With": "flowengine", "Origin": "http://evil.example"}
        foreign = browser.post("/api/v1/flows", json={"id": "x"}, headers=headers)
        assert (foreign.status_code, foreign.json()["detail"]) == (
            403,
            "a browser's write must come from our own page; got 'http://evil.example'",
        )


def test_a_request_under_a_foreign_name_is_refused(server):
    answer = server.http.get("/api/v1/health/live", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["detail"]) == (
        421,
        "request must be for this server; got Host 'evil.example'",
    )


def test_bodies_and_queries_are_bounded(server):
    large = server.http.post("/api/v1/flows", content=(b"x" * (1 << 20) for _ in range(25)))
    assert (large.status_code, large.json()["detail"]) == (
        413,
        "body must have at most 20 MB; got more",
    )
    answer = server.ask("GET", "/flows?" + "x" * 9000)
    assert (answer.status_code, answer.json()["detail"]) == (
        414,
        "query must have at most 8192 bytes; got more",
    )


def test_pages_carry_a_policy_without_inline_script(server):
    answer = server.http.get("/login")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert len(set(re.findall(r"script-src 'self' 'nonce-([^']+)'", policy))) == 1
    assert re.findall(r"<(?:script|style)|\sstyle=|\son\w+=", answer.text) == []
    assert server.http.get("/login").headers["content-security-policy"] != policy


def test_logging_in_is_limited(server):
    with server.client() as guesser:
        form = {"name": "nobody", "password": "wrong"}
        answers = [guesser.post("/login", data=form) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 50
    assert "too many tries" in answers[-1].text


def test_the_limit_ends_after_a_minute():
    now = [0.0]
    limit = LoginLimit(lambda: now[0])
    for _ in range(5):
        limit.failed("a")
    assert (limit.wait("a"), limit.wait("b")) == (61, 0)
    now[0] = 60.0
    assert limit.wait("a") == 0


def test_every_write_is_in_the_audit_log(server):
    server.create("one", pipeline())
    server.ask("DELETE", "/flows/nowhere")
    latest = server.get("/audit", limit=2)["entries"]
    assert [(one["action"], one["status"], one["user"]) for one in latest] == [
        ("DELETE /flows/nowhere", 404, "local"),
        ("POST /flows", 201, "local"),
    ]


def test_a_token_of_ones_own_has_ones_own_role(server, role_clients):
    answer = role_clients["viewer"].post("/api/v1/tokens", json={"label": "script"})
    with server.client({"Authorization": f"Bearer {answer.json()['token']}"}) as script:
        assert script.get("/api/v1/version").json()["role"] == "viewer"
        assert script.post("/api/v1/flows", json={"id": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "role", "password", "message"),
    [
        (
            "a b",
            "viewer",
            PASSWORD,
            "user name must be letters, digits, '-', '_' and '.', and not 'local'; got 'a b'",
        ),
        (
            "ann",
            "boss",
            PASSWORD,
            "role must be viewer or operator or editor or admin; got 'boss'",
        ),
        (
            "ann",
            "viewer",
            "short",
            "password must have at least 10 characters; got a shorter one",
        ),
    ],
)
def test_a_user_that_cannot_be_is_refused(accounts, name, role, password, message):
    with pytest.raises(DefinitionError) as refused:
        accounts.put_user(name, role, password)
    assert str(refused.value) == message


def test_passwords_are_kept_as_argon2_hashes(accounts, tmp_path):
    accounts.put_user("ann", "editor", PASSWORD)
    assert accounts.log_in("ann", PASSWORD).role is Role.EDITOR
    assert accounts.log_in("ann", "wrong") is None
    assert accounts.log_in("bob", PASSWORD) is None
    assert PASSWORD.encode() not in (tmp_path / "server.db").read_bytes()


def test_a_removed_user_has_no_session_any_more(accounts):
    accounts.put_user("ann", "editor", PASSWORD)
    session = accounts.open_session(accounts.log_in("ann", PASSWORD))
    assert accounts.by_session(session).user == "ann"
    accounts.remove_user("ann")
    assert accounts.by_session(session) is None


@pytest.mark.parametrize(
    ("options", "users", "message"),
    [
        (
            {"host": "0.0.0.0"},
            0,
            "--host 0.0.0.0 must have users when other machines reach it; got none. Add one with "
            "`flowengine server users add NAME --role admin`, or serve on 127.0.0.1",
        ),
        (
            {"host": "0.0.0.0"},
            1,
            "--host 0.0.0.0 must have TLS when other machines reach it; got none. Give "
            "--tls-certificate and --tls-key, or --behind-proxy where a proxy does it",
        ),
        ({"root_path": "x/"}, 0, "--root-path must begin with '/' and not end with one; got 'x/'"),
        (
            {"token": "short"},
            0,
            "FLOWENGINE_SERVER_TOKEN must have at least 16 characters; got a shorter one",
        ),
    ],
)
def test_an_unsafe_configuration_does_not_start(tmp_path, options, users, message):
    config = ServerConfig(flows=tmp_path, data_root=tmp_path, **options)
    with pytest.raises(DefinitionError) as refused:
        checked(config, users)
    assert str(refused.value) == message


def test_a_route_without_a_role_does_not_start(tmp_path):
    site = Site(ServerConfig(flows=tmp_path, data_root=tmp_path))
    create_app(site)
    site.store.close()
