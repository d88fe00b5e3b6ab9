"""Unpacks what a server sends, piece by piece and never beyond a limit."""

from __future__ import annotations

import zlib
from typing import Any, Protocol


class TooMuchError(Exception):
    """More bytes came out than were allowed."""


class BadPackingError(Exception):
    """The bytes are not packed as the server says."""


class Unpacker(Protocol):
    """Turns packed bytes into plain ones, piece by piece."""

    def feed(self, data: bytes) -> bytes:
        """Unpacks a piece; raises `TooMuchError` or `BadPackingError`."""

    def finish(self) -> None:
        """Ends the stream; raises `BadPackingError` where something should follow."""


class _Plain:
    def __init__(self, limit: int) -> None:
        self._left = limit

    def feed(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise TooMuchError
        return data

    def finish(self) -> None:
        pass


class _Zlib:
    """Unpacks gzip with any number of members, and deflate with or without its header."""

    def __init__(self, limit: int, *, gzip: bool) -> None:
        self._left = limit
        self._window = 31 if gzip else 15
        self._gzip = gzip
        self._decoder = zlib.decompressobj(self._window)
        self._started = False

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        while data:
            try:
                # One byte more than is left shows that the limit was crossed, without unpacking the rest.
                out += self._decoder.decompress(data, self._left + 1 - len(out))
            except zlib.error as wrong:
                if self._gzip or self._started or self._window < 0:
                    raise BadPackingError(str(wrong)) from None
                self._window = -15  # some servers send raw deflate
                self._decoder = zlib.decompressobj(self._window)
                continue
            if len(out) > self._left:
                raise TooMuchError
            self._started = True
            data = self._decoder.unconsumed_tail or self._decoder.unused_data
            if self._decoder.eof:
                if not self._gzip or not data.strip(b"\x00"):
                    break
                self._decoder = zlib.decompressobj(self._window)
        self._left -= len(out)
        return bytes(out)

    def finish(self) -> None:
        if self._started and not self._decoder.eof:
            raise BadPackingError("it breaks off")


class _Brotli:
    def __init__(self, limit: int) -> None:
        import brotli

        self._left = limit
        self._error: Any = brotli.error
        self._decoder = brotli.Decompressor()

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        try:
            out += self._decoder.process(data, output_buffer_limit=self._left + 1)
            while not self._decoder.can_accept_more_data() and len(out) <= self._left:
                out += self._decoder.process(b"", output_buffer_limit=self._left + 1)
        except self._error as wrong:
            raise BadPackingError(str(wrong)) from None
        if len(out) > self._left:
            raise TooMuchError
        self._left -= len(out)
        return bytes(out)

    def finish(self) -> None:
        if not self._decoder.is_finished():
            raise BadPackingError("it breaks off")


def unpacker(encoding: str, limit: int) -> Unpacker:
    """Returns what unpacks a Content-Encoding to at most `limit` bytes.

    Raises:
        BadPackingError: An encoding that was not asked for.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return _Plain(limit)
    if name in {"gzip", "x-gzip"}:
        return _Zlib(limit, gzip=True)
    if name == "deflate":
        return _Zlib(limit, gzip=False)
    if name == "br":
        return _Brotli(limit)
    raise BadPackingError(f"encoding {name[:40]!r} was not asked for")
