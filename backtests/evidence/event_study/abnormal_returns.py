"""What a return would have been without the event, and what it was beyond that.

Arrays are (…, sessions, symbols) for returns and (…, sessions) for the benchmark; any axes may stand in front, so
that thousands of samples are one call. Returns are simple returns as fractions (0.01 = 1 %).

    market           R = alpha + beta x Rm + e      by ordinary least squares (MacKinlay 1997, section 4)
    market-adjusted  R = Rm + e                     no parameter of its own
    mean-adjusted    R = mean of the estimation + e (Brown and Warner 1985)

Sources: Brown and Warner (1985), "Using daily stock returns", J. Financial Economics 14; MacKinlay (1997), "Event
studies in economics and finance", J. Economic Literature 35; Campbell, Lo and MacKinlay (1997), "The Econometrics
of Financial Markets", chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from strategies.signals import Floats

Model = Literal["market", "market-adjusted", "mean-adjusted"]
MODELS: tuple[Model, ...] = ("market", "market-adjusted", "mean-adjusted")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Abnormal:
    """Abnormal returns of the estimation and of the window, and how far off a forecast of them is by chance.

    Attributes:
        alpha, beta: Shape (…, symbols); beta is NaN for a model without one.
        sd: Standard deviation of the estimation's residuals, shape (…, symbols), fractions.
        r_squared: Share of the variance explained, shape (…, symbols), NaN for a model without a regression.
        residuals: Shape (…, estimation, symbols).
        returns, expected, abnormal: Shape (…, window, symbols).
        forecast: Forecast variance in units of sd², shape (…, window).
        cumulated: The same of the sum up to and including each session of the window, shape (…, window).
        freedom: Degrees of freedom of sd.
    """

    alpha: Floats
    beta: Floats
    sd: Floats
    r_squared: Floats
    residuals: Floats
    returns: Floats
    expected: Floats
    abnormal: Floats
    forecast: Floats
    cumulated: Floats
    freedom: int

    @property
    def car(self) -> Floats:
        """Cumulative abnormal returns, summed from the window's first session, shape (…, window, symbols)."""
        return np.cumsum(self.abnormal, axis=-2)

    @property
    def sar(self) -> Floats:
        """Abnormal returns in forecast standard deviations (Patell 1976), shape (…, window, symbols)."""
        return self.abnormal / (self.sd[..., None, :] * np.sqrt(self.forecast)[..., None])

    @property
    def scar(self) -> Floats:
        """Cumulative abnormal returns in forecast standard deviations, shape (…, window, symbols)."""
        return self.car / (self.sd[..., None, :] * np.sqrt(self.cumulated)[..., None])

    @property
    def sample_sar(self) -> Floats:
        """The estimation's residuals in standard deviations, shape (…, estimation, symbols)."""
        return self.residuals / self.sd[..., None, :]


def abnormal_returns(model: Model, estimation: Floats, benchmark: Floats, window: Floats, forward: Floats) -> Abnormal:
    """Estimates a model and applies it to the window.

    Args:
        model: One of `MODELS`.
        estimation: Returns before the event, shape (…, estimation, symbols).
        benchmark: The benchmark's over the same sessions, shape (…, estimation).
        window: Returns of the event window, shape (…, window, symbols).
        forward: The benchmark's over the window, shape (…, window).

    Raises:
        ValueError: Fewer than four sessions to estimate from, or shapes that do not fit.
    """
    length = estimation.shape[-2]
    if length < 4:
        raise ValueError(f"{length} sessions are too few to estimate a model from; give at least 4")
    if benchmark.shape[-1] != length or forward.shape[-1] != window.shape[-2]:
        raise ValueError("the benchmark's sessions are not those of the symbols")
    alpha, beta, freedom = _parameters(model, estimation, benchmark)
    slope = np.nan_to_num(beta)
    residuals = estimation - _fit(alpha, slope, benchmark)
    expected = _fit(alpha, slope, forward)
    sd = np.sqrt((residuals**2).sum(axis=-2) / freedom)
    forecast, cumulated = _forecast(model, benchmark, forward)
    centred = ((estimation - estimation.mean(axis=-2, keepdims=True)) ** 2).sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = 1 - (residuals**2).sum(axis=-2) / centred
    return Abnormal(
        alpha=alpha,
        beta=beta,
        sd=sd,
        r_squared=explained if model == "market" else np.full_like(sd, np.nan),
        residuals=residuals,
        returns=window,
        expected=expected,
        abnormal=window - expected,
        forecast=forecast,
        cumulated=cumulated,
        freedom=freedom,
    )


def _fit(alpha: Floats, beta: Floats, benchmark: Floats) -> Floats:
    return alpha[..., None, :] + beta[..., None, :] * benchmark[..., None]


def _parameters(model: Model, estimation: Floats, benchmark: Floats) -> tuple[Floats, Floats, int]:
    length = estimation.shape[-2]
    mean = estimation.mean(axis=-2)
    if model == "market-adjusted":
        return np.zeros_like(mean), np.ones_like(mean), length
    if model == "mean-adjusted":
        return mean, np.full_like(mean, np.nan), length - 1
    centre = benchmark.mean(axis=-1, keepdims=True)
    moved = benchmark - centre
    spread = (moved**2).sum(axis=-1)
    if not (spread > 0).all():
        raise ValueError("the benchmark did not move in the estimation window; choose another")
    beta = (moved[..., None] * estimation).sum(axis=-2) / spread[..., None]
    return mean - beta * centre, beta, length - 2


def _forecast(model: Model, benchmark: Floats, forward: Floats) -> tuple[Floats, Floats]:
    """Variance of a forecast error in units of the residual variance, for each session and for the running sum.

    Of one session 1 + 1/L + (Rm - mean)² / sum of squares, of the sum of n sessions
    n + n²/L + (sum of (Rm - mean))² / sum of squares (Mikkelson and Partch 1988; Campbell, Lo, MacKinlay 4.4.13).
    """
    count = np.arange(1.0, forward.shape[-1] + 1)
    one = np.ones_like(forward)
    if model == "market-adjusted":
        return one, count * one
    length = benchmark.shape[-1]
    level, levels = one + 1 / length, (count + count**2 / length) * one
    if model == "mean-adjusted":
        return level, levels
    centre = benchmark.mean(axis=-1, keepdims=True)
    spread = ((benchmark - centre) ** 2).sum(axis=-1, keepdims=True)
    away = forward - centre
    return level + away**2 / spread, levels + np.cumsum(away, axis=-1) ** 2 / spread
