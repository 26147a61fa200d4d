"""The web image: the page by itself, the gateway behind it, and what people are told while there is none."""

import http.client
import json
import re
from dataclasses import dataclass

import pytest

from gateway.domain.refusals import Reason
from gateway.entrypoints.edge import SECURITY_HEADERS
from gateway.entrypoints.problems import body_of
from support.containers import STRICT, Container, Yard, until

# A gateway that says what reached it: its headers as a JSON body, and the WebSocket handshake.
ECHO = """
import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101); self.send_header("Upgrade", "websocket"); self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(self.rfile.read(4)[::-1])
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Echo).serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(web: Container, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", web.port(8080), timeout=10)
    try:
        connection.request(method, path, body or None, {key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def up(web: Container) -> bool:
    try:
        return ask(web, "/health").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def web(yard: Yard, image: dict[str, str]) -> Container:
    """The page, its gateway an echo."""
    options = (*STRICT, "--entrypoint", "python")
    yard.start(image["gateway"], "-c", ECHO, name="echo", options=options)
    container = yard.start(image["web"], name="web", env={"GATEWAY_UPSTREAM": "echo:8000"}, ports=(8080,))
    until("nginx answers", lambda: up(container))
    return container


@pytest.fixture(scope="module")
def alone(yard: Yard, image: dict[str, str]) -> Container:
    """The page while there is no gateway."""
    container = yard.start(image["web"], name="alone", env={"GATEWAY_UPSTREAM": "nowhere:8000"}, ports=(8080,))
    until("nginx answers", lambda: up(container))
    return container


def test_it_answers_for_its_own_health_without_a_gateway(alone: Container) -> None:
    assert json.loads(ask(alone, "/health").body) == {"status": "ok", "service": "web"}
    alone.execute("/app/healthcheck.sh")


def test_the_engine_finds_it_healthy(alone: Container) -> None:
    until("nginx is healthy", lambda: alone.health() == "healthy", 60)


@pytest.mark.parametrize("path", ["/", "/settings", "/a/deeper/path", "/check-ins/1", "/index.html"])
def test_a_path_of_the_page_is_the_page_and_is_asked_for_again(web: Container, path: str) -> None:
    answer = ask(web, path)

    assert answer.status == 200
    assert answer.body.startswith(b"<!doctype html>")
    assert answer.headers["cache-control"] == "no-cache"


def test_every_file_that_the_page_names_is_there_to_keep_for_ever(web: Container) -> None:
    names = re.findall(r'(?:href|src)="(/[^"]+)"', ask(web, "/").body.decode())

    assert {name.rsplit(".", 1)[1] for name in names} == {"js", "css", "svg", "json"}
    for name in names:
        answer = ask(web, name)
        assert re.fullmatch(r"/assets/[a-z]+-[A-Z0-9]{8}\.[a-z]+", name)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert ask(web, name, If_None_Match=answer.headers["etag"]).status == 304


def test_the_manifest_names_the_icon_that_is_there(web: Container) -> None:
    found = re.search(r"/assets/manifest-\w+\.json", ask(web, "/").body.decode())
    assert found

    manifest = json.loads(ask(web, found[0]).body)

    assert ask(web, manifest["icons"][0]["src"]).headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/assets/app-00000000.js", "/app.js", "/favicon.ico", "/package.json", "/a/b.php"])
def test_a_file_that_is_not_there_is_not_the_page(web: Container, path: str) -> None:
    answer = ask(web, path)

    assert answer.status == 404
    assert b"doctype" not in answer.body
    assert "cache-control" not in answer.headers


def test_it_is_sent_with_the_headers_that_the_gateway_sends_it_with(web: Container) -> None:
    answer = ask(web, "/")

    assert {key.decode(): value.decode() for key, value in SECURITY_HEADERS}.items() <= answer.headers.items()
    assert "strict-transport-security" not in answer.headers
    assert ask(web, "/", X_Forwarded_Proto="https").headers["strict-transport-security"] == "max-age=31536000"


def test_it_packs_what_is_worth_it(web: Container) -> None:
    name = re.search(r"/assets/app-\w+\.js", ask(web, "/").body.decode())
    assert name

    assert ask(web, name[0], Accept_Encoding="gzip").headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "path",
    ["/v1/messages?after=3", "/webhooks/telegram/main", "/v1/files/a.pdf", "/webhooks/telegram/a.b", "/openapi.json"],
)
def test_the_gateway_is_told_who_came_and_how(web: Container, path: str) -> None:
    seen = json.loads(
        ask(web, path, Host="coach.example.org", X_Forwarded_For="203.0.113.7", X_Forwarded_Proto="https").body
    )

    assert seen["path"] == path
    assert seen["headers"]["host"] == "coach.example.org"
    assert re.fullmatch(r"203\.0\.113\.7, [\d.]+", seen["headers"]["x-forwarded-for"])
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert "upgrade" not in seen["headers"]


def test_a_body_as_large_as_the_gateway_may_take_passes(web: Container) -> None:
    assert ask(web, "/webhooks/telegram/main", "POST", b"x" * 8_388_608).status == 200


def test_a_chat_socket_passes_in_both_directions(web: Container) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web.port(8080), timeout=10)
    connection.putrequest("GET", "/v1/chat")
    for key, value in {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}.items():
        connection.putheader(key, value)
    connection.endheaders()
    line = connection.sock.recv(4096)
    assert line.startswith(b"HTTP/1.1 101")

    connection.sock.sendall(b"abcd")

    assert connection.sock.recv(16) == b"dcba"
    connection.close()


@pytest.mark.parametrize("path", ["/v1/session", "/webhooks/telegram/main"])
def test_without_a_gateway_callers_are_told_to_come_back_in_the_gateways_words(alone: Container, path: str) -> None:
    answer = ask(alone, path, "POST", b"{}")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body) == body_of(Reason.UNAVAILABLE, retry_after=1)


def test_a_failure_is_logged_without_who_asked_for_what(alone: Container) -> None:
    ask(alone, "/v1/messages?token=secret-word", "POST", b"what a person said", X_Forwarded_For="203.0.113.7")
    until("it is logged", lambda: '"area":"v1"' in alone.says())

    said = alone.says()

    for hidden in ("secret-word", "what a person said", "203.0.113.7", "messages", "172."):
        assert hidden not in said
    assert all(json.loads(line)["event"] == "request_failed" for line in said.splitlines())


@pytest.mark.parametrize(
    ("upstream", "said"),
    [("", "GATEWAY_UPSTREAM"), ("gateway", "lacks a port"), ("gateway:80;return 200 x", "is not host:port")],
)
def test_a_wrong_gateway_is_refused_at_the_start(image: dict[str, str], yard: Yard, upstream: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        yard.once(image["web"], env={"GATEWAY_UPSTREAM": upstream})


def test_a_plain_service_name_gets_its_namespace(image: dict[str, str], yard: Yard) -> None:
    """nginx asks the name server without a search domain, which a pod's resolv.conf names."""
    options = (*STRICT, "--dns-search", "coaching.svc.cluster.local", "--dns", "127.0.0.1")
    container = yard.start(image["web"], name="pod", env={"GATEWAY_UPSTREAM": "coach-gateway:8000"}, options=options)
    until("nginx runs", lambda: "nginx" in container.execute("cat", "/proc/1/cmdline"))

    rendered = container.execute("cat", "/tmp/nginx/gateway.conf")

    assert "coach-gateway.coaching.svc.cluster.local:8000;" in rendered
