"""Asks a language model over the OpenAI-compatible chat interface, which Ollama, llama.cpp, vLLM and hosted ones speak.

The key comes from AFTERSHOCK_LLM_KEY alone, goes to the address that was named and nowhere else (no redirect is
followed, no proxy used, and none of it in clear over the internet), and is in no file and no message.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from feeds.errors import InputError

KEY: Final = "AFTERSHOCK_LLM_KEY"
_ODD: Final = re.compile(r"[^!-~]")  # what an address has to write as %xx
_LARGEST: Final = 1024 * 1024  # bytes of an answer
_RETRIED: Final = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLimits:
    """Sets how far asking goes; times in seconds."""

    connect: float = 10.0
    total: float = 120.0  # of one try
    tries: int = 6
    back_off: float = 1.0  # before the second try; doubled before each further one, with jitter
    longest_wait: float = 300.0  # a server that wants more patience ends the asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Holds what a model wrote, and what it counted."""

    text: str
    asked_at: datetime
    tokens_in: int
    tokens_out: int


class _TryAgainError(Exception):
    """A fault that may pass; `wait` is the server's wish in seconds, None where it has none."""

    def __init__(self, says: str, wait: float | None = None) -> None:
        super().__init__(says)
        self.wait = wait


@dataclass
class Chat:
    """Asks one model at one address; threads may share it.

    Args:
        url: Like http://127.0.0.1:11434/v1.
        model: Its name there.

    Raises:
        InputError: The address is none, or would get a key in clear text.
    """

    url: str
    model: str
    limits: ChatLimits = field(default_factory=ChatLimits)
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = lambda: random.uniform(0.75, 1.25)  # noqa: S311 (no secret)
    _quiet_until: float = field(default=float("-inf"), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            self._host, self._port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise InputError(f"--scorer {self.url}: is no address; give http://HOST:PORT/v1#MODEL") from None
        if (
            parts.scheme not in {"http", "https"}
            or not self._host
            or "@" in parts.netloc
            or parts.query
            or _ODD.search(self.url)
        ):
            raise InputError(
                f"--scorer {parts.scheme}://{self._host}: give http://HOST:PORT/v1#MODEL, a key in {KEY} alone"
            )
        self._is_tls, self._path = parts.scheme == "https", f"{parts.path.rstrip('/')}/chat/completions"

    def ask(self, messages: list[dict[str, str]]) -> Reply:
        """Asks once, and again after faults that may pass: 429 and the like, 5xx, timeouts, a lost connection.

        Raises:
            InputError: No answer that is of use.
        """
        limits = self.limits
        for number in range(1, limits.tries + 1):
            self._be_quiet()
            try:
                return self._try(messages)
            except _TryAgainError as wrong:
                wait = limits.back_off * 2 ** (number - 1) * self.jitter() if wrong.wait is None else wrong.wait
                if number == limits.tries or wait > limits.longest_wait:
                    patience = f"; it asks to wait {wait:,.0f} s" if wait > limits.longest_wait else ""
                    raise InputError(
                        f"{self.url}: {wrong} after {number} tries{patience}; run again: what was answered is kept"
                    ) from None
                if wrong.wait is not None:  # it speaks to all who ask here
                    with self._lock:
                        self._quiet_until = max(self._quiet_until, self.clock() + wait)
                else:
                    self.sleep(wait)
        raise AssertionError("tries is at least 1")

    def _be_quiet(self) -> None:
        with self._lock:
            left = self._quiet_until - self.clock()
        if left > 0:
            self.sleep(left)

    def _try(self, messages: list[dict[str, str]]) -> Reply:
        body = {
            "model": self.model, "messages": messages, "temperature": 0, "response_format": {"type": "json_object"},
        }  # fmt: skip
        asked_at = datetime.now(UTC)
        status, headers, raw = self._post(json.dumps(body).encode())
        if status in _RETRIED or status >= 500:
            from feeds.fetch import retry_after

            raise _TryAgainError(f"HTTP {status}", retry_after(headers.get("retry-after", ""), asked_at))
        if status != 200:
            raise InputError(f"{self.url}: HTTP {status} for {self.model!r} ({self._message(raw)}); nothing was scored")
        try:
            found = json.loads(raw)
            text = found["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            text = None
        if not isinstance(text, str):
            raise _TryAgainError("an answer that is none of the chat interface")
        usage = found.get("usage")
        return Reply(
            text=self._without_key(text), asked_at=asked_at, tokens_in=_count(usage, "prompt_tokens"),
            tokens_out=_count(usage, "completion_tokens"),
        )  # fmt: skip

    def _post(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        end = self.clock() + self.limits.total
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
        kind = http.client.HTTPSConnection if self._is_tls else http.client.HTTPConnection
        connection = kind(self._host, self._port)
        try:
            connection.sock = self._connected()
            key = os.environ.get(KEY, "")
            connection.request("POST", self._path, body, headers | ({"Authorization": f"Bearer {key}"} if key else {}))
            with connection.getresponse() as response:
                raw = bytearray()
                while piece := response.read1(65_536):
                    raw += piece
                    if len(raw) > _LARGEST:
                        raise InputError(f"{self.url}: an answer of more than {_LARGEST:,} bytes; nothing was scored")
                    if self.clock() > end:
                        raise _TryAgainError(f"no answer within {self.limits.total:g} s")
                return response.status, {name.lower(): value for name, value in response.getheaders()}, bytes(raw)
        except TimeoutError:
            raise _TryAgainError("timed out") from None
        except (http.client.HTTPException, OSError) as wrong:
            raise _TryAgainError(f"no connection ({type(wrong).__name__})") from None
        except ValueError:
            raise InputError(f"{self.url}: {KEY} or the address holds what no header can") from None
        finally:
            connection.close()

    def _connected(self) -> socket.socket:
        """Connects to an address that was looked at, and to no other."""
        from feeds.fetch import certificates, is_never_a_feed, is_public

        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            if is_never_a_feed(address):
                raise InputError(f"{self.url}: is {address}, where no model is")
            if is_public(address) and not self._is_tls and os.environ.get(KEY):
                raise InputError(f"{self.url}: would get your key in clear text; use https, or unset {KEY}")
        plain = self._first(addresses[:3])
        plain.settimeout(self.limits.total)
        return certificates().wrap_socket(plain, server_hostname=self._host) if self._is_tls else plain

    def _first(self, addresses: list[str]) -> socket.socket:
        """Connects to the first address that answers."""
        for address in addresses[:-1]:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self._port), timeout=self.limits.connect)
        return socket.create_connection((addresses[-1], self._port), timeout=self.limits.connect)

    def _message(self, raw: bytes) -> str:
        """Returns what a refusal says, short and without the key, should the server send it back."""
        try:
            found = json.loads(raw)["error"]
            found = found["message"] if isinstance(found, dict) else found
        except (ValueError, KeyError, TypeError, RecursionError):
            found = "no reason given"
        return self._without_key(" ".join(str(found).split()))[:160]

    def _without_key(self, text: str) -> str:
        key = os.environ.get(KEY, "")
        return text.replace(key, "[key]") if key else text


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else 0
    return value if isinstance(value, int) and 0 <= value < 10_000_000 else 0
