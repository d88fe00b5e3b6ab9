"""Regresses a strategy's returns on those of funds, with errors that hold for returns that hang together. Pure.

Newey and West, "A Simple, Positive Semi-Definite, Heteroskedasticity and Autocorrelation Consistent Covariance Matrix",
Econometrica 1987; as many lags as their rule of 1994 gives for n sessions, 4 (n / 100) ^ (2/9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtests.evidence.tear_sheet.return_figures import Floats
from backtests.records.metrics import SESSIONS_A_YEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Holds y = alpha + X beta + e, by session."""

    alpha: float  # fraction a session
    alpha_error: float  # Newey–West standard error of alpha
    betas: tuple[float, ...]
    beta_errors: tuple[float, ...]
    r2: float  # share of the variance explained

    @property
    def alpha_pct(self) -> float:
        """Returns alpha in per cent a year (252 sessions, not compounded)."""
        return self.alpha * SESSIONS_A_YEAR * 100

    @property
    def alpha_error_pct(self) -> float:
        """Returns its standard error in per cent a year."""
        return self.alpha_error * SESSIONS_A_YEAR * 100

    @property
    def alpha_t(self) -> float | None:
        """Returns alpha over its standard error."""
        return self.alpha / self.alpha_error if self.alpha_error > 0 else None


def lags(n: int) -> int:
    """Returns how many lags the errors are allowed to hang together over."""
    return int(4 * (n / 100) ** (2 / 9))


def regress(y: Floats, x: Floats) -> Regression | None:
    """Regresses by least squares.

    Args:
        y: Returns, shape (n,).
        x: Returns of the funds, shape (n, funds).

    Returns:
        The regression; None where the funds are linearly dependent or there are too few sessions (ten a coefficient).
    """
    n = len(y)
    design = np.column_stack([np.ones(n), x])
    if n < 10 * design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    residual = y - design @ coefficients
    scores = design * residual[:, None]
    middle = scores.T @ scores
    most = lags(n)
    for lag in range(1, most + 1):
        cross = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (most + 1)) * (cross + cross.T)
    errors = np.sqrt(np.clip(np.diag(inverse @ middle @ inverse), 0.0, None))
    total = float(np.sum((y - y.mean()) ** 2))
    return Regression(
        alpha=float(coefficients[0]),
        alpha_error=float(errors[0]),
        betas=tuple(map(float, coefficients[1:])),
        beta_errors=tuple(map(float, errors[1:])),
        r2=1 - float(residual @ residual) / total if total else 0.0,
    )
