"""A real HTTP server on loopback that speaks the chat interface, and does what such servers do."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = {"relevance": 1, "sentiment": -0.5, "displacement": 0, "tone": -0.25, "reaction": False, "cause": False,
        "entities": {"NVDA": -1}}  # fmt: skip


class ModelServer:
    """Answers each request by `answer(headline, number)`: a text, or (status, headers, body).

    `seen` holds the requests' JSON, `keys` their Authorization.
    """

    def __init__(self, answer=lambda *_: json.dumps(GOOD)) -> None:
        self.answer, self.seen, self.keys = answer, [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.seen.append(asked)
                outer.keys.append(self.headers["Authorization"])
                headline = json.loads(asked["messages"][-1]["content"])["headline"]
                said = outer.answer(headline, len(outer.seen))
                if isinstance(said, str):
                    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
                    said = 200, {}, json.dumps({"choices": [{"message": {"content": said}}], "usage": usage})
                status, headers, body = said
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the caller had enough
                    for piece in [body] if isinstance(body, str) else body:
                        self.wfile.write(piece.encode())
                        self.wfile.flush()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def headlines(self):
        """Returns what was asked about, in order."""
        return [json.loads(each["messages"][-1]["content"])["headline"] for each in self.seen]

    def close(self):
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()


def drip(count: int, pause: float):
    """A body that never ends in time."""
    for _ in range(count):
        time.sleep(pause)
        yield " "


class Clock:
    """A clock that sleeping moves, so that no test waits."""

    def __init__(self) -> None:
        self.now, self.slept, self._lock = 1000.0, [], threading.Lock()

    def __call__(self):
        """Returns the time in seconds."""
        return self.now

    def sleep(self, seconds):
        """Notes how long somebody wanted to sleep."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds
