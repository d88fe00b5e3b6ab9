"""Servers that speak HTTP on loopback; what they say has the shape of the real ones' answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx

from feeds.errors import FetchError
from feeds.history import wayback


class Server:
    """An HTTP server on loopback that answers by a function and remembers what it was asked."""

    def __init__(self, answer) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, headers, body = outer.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Serves until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class Servers:
    """Servers that end together."""

    def __init__(self) -> None:
        self.open: list[object] = []

    def start(self, answer) -> Server:
        """Starts one."""
        running = Server(answer).running()
        self.open.append(running)
        return running.__enter__()

    def close(self) -> None:
        """Ends all."""
        for running in self.open:
            running.__exit__(None, None, None)


def get(url: str) -> bytes:
    """The smallest Get: no retries, redirects checked."""
    try:
        answer = httpx.get(url, timeout=10, follow_redirects=True)
    except httpx.TransportError as wrong:
        raise FetchError(url, "network", str(wrong)) from None
    if answer.is_error:
        kind = "throttled" if answer.status_code in {429, 503} else "client error"
        wait = float(answer.headers.get("Retry-After", 0)) or None
        raise FetchError(url, kind, f"HTTP {answer.status_code}", status=answer.status_code, retry_after=wait)
    wayback.check_same_capture(url, str(answer.url))
    return answer.content


def asks(path: str) -> dict[str, str]:
    """The parameters of a request."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
