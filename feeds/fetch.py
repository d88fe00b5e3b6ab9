"""Fetches addresses; the only module that reaches the network: polite, bounded, never to a private address unasked.

Every hop of a redirect and every answer of the name server is checked before a byte is sent, and the connection goes
to the very address that was checked. Proxies of the environment are not used: behind one nothing could be checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import httpx

from feeds.decompress import BadPackingError, TooMuchError, unpacker
from feeds.errors import FetchError

USER_AGENT = "Aftershock/0.1 (news archive for research; polls with conditional GET, honours Retry-After)"
_PERMANENT = {301, 308}
_REDIRECTS = {301, 302, 303, 307, 308}
_RETRIED = {"network", "timeout", "cut short", "server error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sets how far fetching goes; times in seconds, sizes in bytes."""

    connect: float = 10.0
    read: float = 20.0  # between two pieces
    total: float = 60.0  # all redirects and tries of an address; waiting for one's turn at a host is not counted
    turn: float = 5.0  # after which a slow answer no longer keeps others of its host, or from another host, waiting
    wire: int = 10 * 1024 * 1024
    unpacked: int = 20 * 1024 * 1024
    redirects: int = 8
    tries: int = 3
    back_off: float = 1.0  # before the second try; doubled before each further one, with jitter
    host_gap: float = 1.0  # between two requests to one host
    at_once: int = 8  # answers waited for at the same time, not counting slow ones; one per host
    quiet: float = 60.0  # how long a host is left alone that throttles and does not say for how long


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Holds what a server said."""

    url: str  # where the answer came from, after redirects
    status: int
    headers: Mapping[str, str]  # names in lower case; values in Latin-1, so that every byte can be sent back
    body: bytes
    at: datetime  # when the last byte was here
    moved_to: str | None  # set where all redirects on the way were permanent
    seconds: float = 0.0  # how long it took, without waiting for one's turn


_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# In the public ranges, but no public server: documentation, anycast relays, a cloud's own services.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(each)
    for each in (
        "3fff::/20",
        "2001::/23",
        "2001:db8::/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "100.100.100.200/32",
    )
)


# Reachable from a machine, and never a feed: a link's own addresses, and where clouds keep their machines' secrets.
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "168.63.129.16/32", "100.100.100.200/32")
)


def is_public(address: str) -> bool:
    """Says whether an IP address belongs to the public internet; what IPv6 wraps is looked at too."""
    found = _innermost(address)
    if found is None or (isinstance(found, ipaddress.IPv6Address) and found not in _GLOBAL_UNICAST):
        return False
    return found.is_global and not found.is_multicast and not any(found in network for network in _NOT_PUBLIC)


def is_never_a_feed(address: str) -> bool:
    """Says whether an IP address is link-local or a cloud's own service; --allow-private does not open these."""
    found = _innermost(address)
    return found is None or any(found in network for network in _NEVER)


def _innermost(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Returns the address, or the IPv4 address that it wraps; None for what is no address or may not be wrapped so."""
    try:
        found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return None
    if not isinstance(found, ipaddress.IPv6Address):
        return found
    last = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if found in _NAT64:
        return last
    if int(found) >> 32 & 0xFCFFFFFF == 0x5EFE and found in _GLOBAL_UNICAST:  # ISATAP
        return last
    return found.ipv4_mapped or found.sixtofour or found


@cache
def certificates() -> ssl.SSLContext:
    """Returns the certificates that are trusted; read once, which takes some dozen milliseconds."""
    return httpx.create_ssl_context()


class _Guarded(httpx.AsyncHTTPTransport):
    """Resolves a name, refuses private addresses, and connects to what was checked."""

    def __init__(self, *, allow_private: bool) -> None:
        # No connection is kept: one to an address, checked for one name, must not serve another name there.
        super().__init__(verify=certificates(), limits=httpx.Limits(max_keepalive_connections=0))
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        if port > 65_535:
            raise FetchError(str(request.url), "bad address", f"there is no port {port}")
        try:
            found = await _resolve(host, port)
        except (OSError, UnicodeError) as wrong:
            raise httpx.ConnectError(f"no address for {host[:80]} ({wrong})") from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        closed = [each for each in addresses if is_never_a_feed(each)]
        if closed:
            raise FetchError(str(request.url), "refused address", f"{host} is {closed[0]}, where no feed is")
        refused = [each for each in addresses if not is_public(each)]
        if refused and not self._allow_private:
            raise FetchError(
                str(request.url),
                "refused address",
                f"{host} is {refused[0]}, not of the public internet; --allow-private",
            )
        request.headers["Host"] = request.url.netloc.decode("ascii")
        request.extensions = {**request.extensions, "sni_hostname": host}
        original = request.url
        for number, address in enumerate(addresses[:3]):
            request.url = original.copy_with(host=address)
            try:
                return await super().handle_async_request(request)
            except httpx.ConnectError:
                if number + 1 == len(addresses[:3]):
                    raise
            finally:
                request.url = original
        raise httpx.ConnectError(f"no address for {host[:80]}")


async def _resolve(host: str, port: int) -> list[Any]:
    """Asks the name server in a thread that nobody waits for: a hanging answer must not hold up the end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[Any]] = loop.create_future()

    def settle(found: list[Any] | None, wrong: Exception | None) -> None:
        if not future.done():
            if wrong is not None:
                future.set_exception(wrong)
            else:
                future.set_result(found or [])

    def ask() -> None:
        found, wrong = None, None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as failed:
            wrong = failed
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found, wrong)

    threading.Thread(target=ask, daemon=True).start()
    return await future


@dataclass(slots=True)
class _Host:
    lock: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    last: float = -1e9
    quiet_until: float = -1e9  # it throttles


@dataclass(slots=True)
class _Budget:
    """The seconds that are left for an address, over all its redirects and tries."""

    left: float
    spent: float = 0.0


@contextlib.asynccontextmanager
async def _turn(gate: asyncio.Semaphore, longest: float) -> AsyncIterator[None]:
    """Holds a gate, for a while at most: whoever takes longer goes on without it."""
    await gate.acquire()
    is_held = True

    def release() -> None:
        nonlocal is_held
        if is_held:
            is_held = False
            gate.release()

    timer = asyncio.get_running_loop().call_later(longest, release)
    try:
        yield
    finally:
        timer.cancel()
        release()


class Fetcher:
    """Fetches addresses; an asynchronous context manager.

    Args:
        limits: How far to go.
        allow_private: Whether loopback and private addresses may be reached.
        user_agent: Who asks.
    """

    def __init__(
        self, limits: Limits | None = None, *, allow_private: bool = False, user_agent: str = USER_AGENT
    ) -> None:
        self.limits = limits or Limits()
        self._client = httpx.AsyncClient(
            transport=_Guarded(allow_private=allow_private),
            timeout=httpx.Timeout(self.limits.read, connect=self.limits.connect),
            headers={
                "User-Agent": user_agent,
                "Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5",
                "Accept-Encoding": "gzip, deflate, br",
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
        )
        self._hosts: defaultdict[tuple[str, int | None], _Host] = defaultdict(_Host)
        self._gate = asyncio.Semaphore(self.limits.at_once)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetches an address, trying again after faults that may pass.

        Args:
            url: Where.
            headers: Names and values; characters beyond Latin-1 cannot be sent.

        Raises:
            FetchError: No answer that is of use; `kind` says why.
        """
        budget = _Budget(self.limits.total)
        for number in range(1, self.limits.tries + 1):
            try:
                return replace(await self._follow(url, headers or {}, budget), seconds=budget.spent)
            except FetchError as wrong:
                wrong.seconds = budget.spent
                if wrong.kind not in _RETRIED or number == self.limits.tries or budget.left <= 0:
                    raise
            pause = self.limits.back_off * 2 ** (number - 1)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (jitter)
        raise AssertionError("tries is at least 1")

    async def _follow(self, url: str, headers: Mapping[str, str], budget: _Budget) -> Answer:
        seen: set[str] = set()
        permanent = True
        here = url
        while True:
            _check_scheme(here)
            if here in seen:
                raise FetchError(url, "redirect loop", f"back at {here[:120]}")
            if len(seen) > self.limits.redirects:
                raise FetchError(url, "redirect loop", f"more than {self.limits.redirects} redirects")
            seen.add(here)
            answer = await self._ask(here, headers, budget)
            target = answer.headers.get("location", "").encode("latin-1").decode("utf-8", "replace")
            if answer.status in _REDIRECTS and not target:
                raise FetchError(
                    url, "bad redirect", f"HTTP {answer.status} that does not say where to", status=answer.status
                )
            if answer.status not in _REDIRECTS:
                return replace(answer, moved_to=here if permanent and here != url else None)
            permanent = permanent and answer.status in _PERMANENT
            try:
                here = str(httpx.URL(here).join(target))
            except (httpx.InvalidURL, ValueError):
                raise FetchError(url, "bad redirect", f"to {target[:120]!r}") from None

    async def _ask(self, url: str, headers: Mapping[str, str], budget: _Budget) -> Answer:
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise FetchError(url[:200], "bad address", "cannot be read") from None
        host = self._hosts[parsed.host, parsed.port]
        async with _turn(host.lock, self.limits.turn + self.limits.host_gap):
            await asyncio.sleep(max(0.0, host.last + self.limits.host_gap - time.monotonic()))
            quiet = host.quiet_until - time.monotonic()
            if quiet > 0:
                raise FetchError(url, "throttled", "its host asked for patience; not asked", retry_after=quiet)
            async with _turn(self._gate, self.limits.turn):
                host.last = started = time.monotonic()
                try:
                    return await self._answer(url, parsed, headers, budget.left)
                except FetchError as wrong:
                    if wrong.kind == "throttled":
                        wait = self.limits.quiet if wrong.retry_after is None else wrong.retry_after
                        host.quiet_until = time.monotonic() + wait
                    raise
                finally:
                    host.last = time.monotonic()
                    budget.left -= host.last - started
                    budget.spent += host.last - started

    async def _answer(self, url: str, parsed: httpx.URL, headers: Mapping[str, str], left: float) -> Answer:
        sent = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        try:
            async with asyncio.timeout(left), self._client.stream("GET", parsed, headers=sent) as response:
                return await self._read(url, response)
        except TimeoutError:
            limit = f"not done within {self.limits.total:g} s, redirects and tries together"
            raise FetchError(url, "timeout", limit) from None
        except httpx.TimeoutException as wrong:
            raise FetchError(url, "timeout", type(wrong).__name__) from None
        except httpx.RemoteProtocolError as wrong:
            is_short = "incomplete" in str(wrong) or "without sending complete" in str(wrong)
            raise FetchError(url, "cut short" if is_short else "network", str(wrong)[:160]) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as wrong:
            raise FetchError(url, "network", str(wrong)[:160] or type(wrong).__name__) from None

    async def _read(self, url: str, response: httpx.Response) -> Answer:
        # Latin-1 gives back every byte as it came.
        headers = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in response.headers.raw}
        body = bytearray()
        if response.status_code == 200:
            try:
                unpack = unpacker(headers.get("content-encoding", ""), self.limits.unpacked)
                wire = 0
                async for piece in response.aiter_raw():
                    wire += len(piece)
                    if wire > self.limits.wire:
                        raise FetchError(url, "too large", f"more than {self.limits.wire:,} bytes", status=200)
                    body += unpack.feed(piece)
                unpack.finish()
            except TooMuchError:
                raise FetchError(
                    url, "too large", f"more than {self.limits.unpacked:,} bytes when unpacked", status=200
                ) from None
            except BadPackingError as wrong:
                raise FetchError(url, "bad packing", str(wrong), status=200) from None
        elif response.status_code not in {304, *_REDIRECTS}:
            raise _refusal(url, response.status_code, headers)
        return Answer(
            url=url,
            status=response.status_code,
            headers=headers,
            body=bytes(body),
            at=datetime.now(UTC),
            moved_to=None,
        )


def _check_scheme(url: str) -> None:
    scheme = url.partition(":")[0].lower()
    if scheme not in {"http", "https"}:
        raise FetchError(url[:200], "refused address", f"{scheme[:20]}: is neither http nor https")


def _refusal(url: str, status: int, headers: Mapping[str, str]) -> FetchError:
    wait = retry_after(headers.get("retry-after", ""), datetime.now(UTC))
    if status == 429 or (status == 503 and wait is not None):
        return FetchError(url, "throttled", f"HTTP {status}", status=status, retry_after=wait)
    if status >= 500:
        return FetchError(url, "server error", f"HTTP {status}", status=status, retry_after=wait)
    return FetchError(url, "gone" if status == 410 else "client error", f"HTTP {status}", status=status)


def retry_after(text: str, now: datetime) -> float | None:
    """Reads a Retry-After header, seconds or a date, as seconds from now: 0 to a week; None where it says nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), 7 * 86400))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), 7 * 86400.0)
