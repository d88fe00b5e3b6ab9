"""A real HTTP server on loopback that does what servers on the internet do."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
import zlib
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli


def rss(*titles: str, prefix: str = "item") -> bytes:
    """A feed of these titles, with links and without dates."""
    items = "".join(
        f"<item><title>{title}</title><link>https://news.example/{prefix}/{n}</link><guid>{prefix}-{n}</guid></item>"
        for n, title in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()


_PACKER = zlib.compressobj(1, zlib.DEFLATED, 31)
BOMB = b"".join(_PACKER.compress(bytes(1 << 20)) for _ in range(200)) + _PACKER.flush()  # 200 MiB of zeros
_BROTLI = brotli.Compressor(quality=1)
BROTLI_BOMB = b"".join(_BROTLI.process(bytes(1 << 20)) for _ in range(200)) + _BROTLI.finish()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status=200, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def raw(self, head: str) -> None:
        self.wfile.write(head.replace("\n", "\r\n").encode())
        self.close_connection = True

    def do_GET(self):
        count = self.server.counts
        count[self.path] += 1
        self.server.seen_headers[self.path] = dict(self.headers)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the caller had enough
            getattr(self, self.path.strip("/").split("/")[0], self.nothing)()

    def nothing(self):
        self.reply(404)

    def good(self):
        self.reply(body=rss("Chipmaker orders more turbines", "Grid fees rise again in spring"), ETag='"one"')

    def changing(self):
        number = self.server.counts[self.path]
        self.reply(body=rss(f"Item {number} of a changing feed", prefix=f"{self.path}/{number}"))

    def conditional(self):
        if self.headers.get("If-None-Match") == '"v1"':
            self.reply(304)
        else:
            self.reply(
                body=rss("Reactor restarts after twenty years"),
                ETag='"v1"',
                Last_Modified="Mon, 27 Jan 2025 12:00:00 GMT",
            )

    def moved(self):
        step = int(self.path.rsplit("/", 1)[-1])
        if step < 3:
            self.reply(301, Location=f"/moved/{step + 1}")
        else:
            self.reply(body=rss("The new address works", prefix="moved"))

    def found(self):
        self.reply(302, Location="/good")

    def loop(self):
        self.reply(301, Location="/loop/b" if self.path == "/loop/a" else "/loop/a")

    def throttled(self):
        self.reply(429, Retry_After="3600")

    def heavy(self):
        item = b"<item><title>" + b"& " * 50 + b"</title></item>"
        self.reply(body=b"<rss><channel>" + item * 80_000 + b"</channel></rss>")  # 9 MB, seconds to read

    def odd(self):
        self.reply(body=b'<CHANNEL><ITEM HREF="https://a.org/1"><TITLE>Chips fall</TITLE></ITEM></CHANNEL>')

    def gone(self):
        self.reply(410)

    def elsewhere(self):
        self.reply(302, Location=f"http://{self.path.split('/', 2)[2]}/latest/meta-data")

    def nowhere(self):
        self.reply(301)

    def noport(self):
        self.reply(302, Location="http://127.0.0.1:99999/")

    def unasked(self):
        self.reply(304)

    def validators(self):
        self.reply(
            body=rss("Validators of odd bytes", prefix="validators"), ETag='"caf\xe9"', Last_Modified="soon \xfc"
        )

    def crawl(self):
        step = int(self.path.rsplit("/", 1)[-1])
        time.sleep(0.4)
        self.reply(302, Location=f"/crawl/{step + 1}")

    def flaky(self):
        if self.server.counts[self.path] == 1:
            self.reply(500)
        else:
            self.reply(body=rss("Back after an error", prefix="flaky"))

    def slow(self):
        self.raw("HTTP/1.1 200 OK\nContent-Type: application/rss+xml\nContent-Length: 1000000\n\n")
        for _ in range(600):
            self.wfile.write(b"<")
            self.wfile.flush()
            time.sleep(0.05)

    def endless(self):
        self.raw("HTTP/1.1 200 OK\nContent-Type: application/rss+xml\nConnection: close\n\n")
        while True:
            self.wfile.write(b"<item>x</item>" * 5000)

    def bomb(self):
        self.reply(body=BOMB, Content_Encoding="gzip")

    def brotlibomb(self):
        self.reply(body=BROTLI_BOMB, Content_Encoding="br")

    def packed(self):
        self.reply(body=gzip.compress(rss("Packed with gzip", prefix="gz")), Content_Encoding="gzip")

    def brotli(self):
        self.reply(body=brotli.compress(rss("Packed with brotli", prefix="br")), Content_Encoding="br")

    def short(self):
        self.raw("HTTP/1.1 200 OK\nContent-Length: 100000\nConnection: close\n\n")
        self.wfile.write(rss("Never whole", prefix="short"))

    def truncated(self):
        self.reply(
            body=rss("First is whole and kept", "Second is whole and kept", "Third is cut off", prefix="cut")[:-100]
        )

    def html(self):
        self.reply(body=b"<!doctype html><html><body><h1>Please accept our cookies</h1></body></html>")

    def tofile(self):
        self.reply(301, Location="file:///etc/passwd")

    def toprivate(self):
        self.reply(302, Location="http://10.1.2.3/feed.xml")


class Server:
    """The server, running; `counts` and `seen_headers` by path."""

    def __enter__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.counts = self.counts = Counter()
        self._server.seen_headers = self.seen_headers = {}
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
