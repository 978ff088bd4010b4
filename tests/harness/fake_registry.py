# SPDX-License-Identifier: MIT
"""A registry of which each answer is made up, for what real ones do on bad days only; and a real one."""
import contextlib
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What is sent back. words: behind the status; cut: only so many bytes of the body, then the connection is closed;
    reset: nothing at all; pause: seconds before the body."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    words: str = None
    cut: int = -1
    reset: bool = False
    pause: float = 0


@dataclass
class Request:
    method: str
    path: str
    headers: dict  # with names in lower case
    body: bytes
    certificate: dict = None  # of the client


PIECE = 16384  # of a body that is sent at once


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each body waits for the other side to acknowledge its headers

    def log_message(self, *_):
        pass

    def _answer(self):
        length = int(self.headers.get("Content-Length", 0))
        request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()},
                          self.rfile.read(length))
        if isinstance(self.connection, ssl.SSLSocket):
            request.certificate = self.connection.getpeercert() or None
        if len(request.body) < length:  # who asked is gone
            self.close_connection = True
            return
        registry = self.server.registry
        with registry.lock:
            registry.requests.append(request)
            answer = registry.answer(request)
        if answer.reset:
            self.close_connection = True
            return
        with contextlib.suppress(OSError):  # nobody listens any more
            self._send(answer)

    def _send(self, answer):
        self.send_response(answer.status, answer.words)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    self.send_header(name, one)
        self.end_headers()
        self.wfile.flush()
        time.sleep(answer.pause)
        self.close_connection |= answer.cut >= 0
        body = answer.body[:answer.cut] if answer.cut >= 0 else answer.body
        for begin in range(0, len(body), PIECE):
            self.wfile.write(body[begin:begin + PIECE])
            self.server.registry.watch(min(PIECE, len(body) - begin))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_CONNECT = _answer


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """That a client goes away is nothing to tell."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class FakeRegistry:
    """answer(request) makes each answer. requests: all that came. certificate: its own and the key; clients: the
    authority of certificates of clients, which are asked for. watch(size): as bytes of bodies are sent."""

    def __init__(self, answer, certificate=None, address="127.0.0.1", watch=lambda size: None, clients=None):
        self.answer, self.watch, self.requests, self.lock = answer, watch, [], threading.Lock()
        self.server = _Server((address, 0), _Handler)
        self.server.registry = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            if clients:
                context.verify_mode = ssl.CERT_OPTIONAL
                context.load_verify_locations(clients)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.host = f"{address}:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def real_registry(directory, http_lines="", auth_lines="", storage_lines="", port=None):
    """docker-registry on loopback: "host:port"."""
    port = port or free_port()
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "config.yml"
    config.write_text(f"version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {directory}/data}}\n{storage_lines}"
                      f"http:\n  addr: 127.0.0.1:{port}\n{http_lines}{auth_lines}")
    program = shutil.which("docker-registry")
    assert program, "docker-registry is not installed"
    with open(directory / "log", "wb") as log, \
            subprocess.Popen([program, "serve", config], stdout=log, stderr=log) as process:
        try:
            _wait_for(port, process, "docker-registry")
            yield f"localhost:{port}"
        finally:
            process.kill()


@contextlib.contextmanager
def proxy_before(directory, host, limit=None):
    """nginx on loopback, before a registry: "host:port". limit: of the size of requests, in its words."""
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not installed"
    places = "".join(f"  {name}_temp_path {directory}/{name};\n"
                     for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    size = f"  client_max_body_size {limit};\n" if limit else ""
    config = directory / "nginx.conf"
    config.write_text(f"daemon off;\nmaster_process off;\npid {directory}/pid;\nevents {{}}\n"
                      f"http {{\n  access_log off;\n{places}{size}"
                      f"  server {{\n    listen 127.0.0.1:{port};\n    location / {{\n      proxy_pass http://{host};\n"
                      "      proxy_set_header Host $http_host;\n    }\n  }\n}\n")
    with open(directory / "log", "wb") as log, \
            subprocess.Popen([program, "-e", directory / "log", "-c", config], stdout=log, stderr=log) as process:
        try:
            _wait_for(port, process, "nginx")
            yield f"localhost:{port}"
        finally:
            process.kill()


def _wait_for(port, process, name):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{name} does not start")
