"""Makes parts of drawings as SVG, and the scales under them. Pure: numbers in, text out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from backtests.report.page.markup import Markup, esc

Scale = Callable[[float], float]


def scale(low: float, high: float, start: float, stop: float) -> Scale:
    """Maps [low, high] onto pixels [start, stop]; a domain without width maps to the middle."""
    span = high - low
    return lambda value: (start + stop) / 2 if span == 0 else start + (value - low) / span * (stop - start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Returns round numbers (1, 2, 5 times a power of ten) that lie within [low, high]."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)
    return [index * step for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def px(value: float) -> str:
    """Writes a length in pixels, short."""
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "") -> str:
    """Draws a label."""
    extra = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{px(x)}" y="{px(y)}"{extra}>{esc(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draws a straight line."""
    return f'<line x1="{px(x1)}" y1="{px(y1)}" x2="{px(x2)}" y2="{px(y2)}" class="{kind}"/>'


def rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Draws a bar; a negative width or height grows the other way."""
    left, top = min(x, x + width), min(y, y + height)
    size = f'width="{px(abs(width))}" height="{px(abs(height))}"'
    return f'<rect x="{px(left)}" y="{px(top)}" {size} class="{kind}"/>'


def polyline(points: Iterable[tuple[float, float]], kind: str) -> str:
    """Draws a line through points."""
    path = " ".join(f"{px(x)},{px(y)}" for x, y in points)
    return f'<polyline points="{path}" class="{kind}"/>'


def area(points: Sequence[tuple[float, float]], base: float, kind: str) -> str:
    """Fills the area between a line and a level."""
    if not points:
        return ""
    path = " ".join(f"{px(x)},{px(y)}" for x, y in [(points[0][0], base), *points, (points[-1][0], base)])
    return f'<polygon points="{path}" class="{kind}"/>'


def drawing(width: float, height: float, label: str, parts: Iterable[str], kind: str = "") -> Markup:
    """Makes a picture that says in words what it shows; its numbers stand in a table beside it."""
    return Markup(
        f'<svg viewBox="0 0 {px(width)} {px(height)}" class="{kind}" role="img" aria-label="{esc(label)}">'
        f"{''.join(parts)}</svg>"
    )


def both(draw: Callable[[float], Markup]) -> tuple[str, str]:
    """Draws once for a wide window and once for a phone; the style sheet shows one of them."""
    return f'<div class="wide">{draw(980)}</div>', f'<div class="narrow">{draw(358)}</div>'
