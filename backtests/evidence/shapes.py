"""States what a saved document of each method holds, as far as the page, `verify` and the critique read it."""

from __future__ import annotations

from backtests.records.shape import Shape, flag, moment, number, text, whole

_OPTIONAL = (None, number)
_NOTES: Shape = [text]
_TESTED: Shape = {"aar_pct": _OPTIONAL, "tests": [{"test": text, "statistic": _OPTIONAL, "p": _OPTIONAL}]}

STUDY: Shape = {
    "model": text,
    "benchmark": text,
    "groups": [
        {
            "group": text,
            "n": whole,
            "n_effective?": _OPTIONAL,
            "days": [{"offset": whole, "caar_pct": number, "low_pct": _OPTIONAL, "high_pct": _OPTIONAL}, ...],
            "event": _TESTED,
            "window": _TESTED,
        }
    ],
    "notes?": _NOTES,
}
GAPS: Shape = {
    "trades?": [{"strategy": text, "opened": text, "headlines": [text]}],
    "strategies": [{"strategy": text, "made_usd": {...: number}, "pnl_usd": number}],
    "notes?": _NOTES,
}
_PLACEBOS: Shape = {
    "actual": number,
    "mean": number,
    "p": number,
    "unit": text,
    "quantiles": {"5": number, "95": number},
    "histogram?": (None, {"edges": [number, ...], "counts": [whole]}),
}
PLACEBO: Shape = {
    "strategy": text,
    "kinds": [{"kind": text, "about": text, "n": whole, "distinct": whole, "profit": (None, _PLACEBOS)}],
    "notes?": _NOTES,
}
_NET: Shape = {"short_share": number, "long_share": number}
_SAMPLES: Shape = {
    "quantiles_pct": {"5": number, "50": number, "95": number},
    "other_sign_share": number,
    "key_session?": (None, _NET),
}
RESAMPLE: Shape = {
    "n": whole,
    "headlines": whole,
    "key_session": text,
    "strategies": [
        {"strategy": text, "return_pct": number, "resampled": _SAMPLES, "key_session_net_weight": _OPTIONAL}
    ],
    "notes": _NOTES,
}
_SERIES: dict[object, Shape] = {
    **dict.fromkeys(
        (
            "annual_return_pct", "volatility_pct", "sharpe", "sortino", "calmar", "skew", "tail_ratio",
        ),
        _OPTIONAL,
    ),
    "max_drawdown_pct": number,
    "longest_drawdown_sessions": whole,
    "years": [{"year": text, "return_pct": number}],
    "months": {...: number},
    "drawdowns": [{"from": text, "trough": text, "until": (None, text), "depth_pct": number, "sessions": whole}],
}  # fmt: skip
_MEAN: Shape = {"n": whole, "mean": _OPTIONAL, "t": _OPTIONAL}
_AFTER: Shape = {
    "days": whole,
    "gap_pct": _MEAN,
    "tradable_pct": [{"sessions": whole, "n": whole, "mean": _OPTIONAL, "t": _OPTIONAL}],
}
SIGNAL: Shape = {
    "episode": text,
    "benchmark": text,
    "sessions": whole,
    "headlines": whole,
    "heads": [
        {
            "head": text,
            "news_days": whole,
            "gap": _MEAN,
            "horizons": [
                {
                    "sessions": whole,
                    "independent_days": whole,
                    "rank_ic": _MEAN,
                    "signed_pct": _MEAN,
                    "third_spread_pct": _MEAN,
                },
                ...,
            ],
            "hits": [
                {"sign": whole, "above": number, "up_to": _OPTIONAL, "n_1": whole, "hit_share_1": _OPTIONAL},
            ],
            "after_good_news": _AFTER,
            "after_bad_news": _AFTER,
            "groups": [{"by": text, "group": text, "headlines": whole, "gap_pct": _MEAN, "signed_pct": _MEAN}],
        }
    ],
    "notes": _NOTES,
}
_HITS: Shape = {"n": whole, "hit_share": _OPTIONAL, "payoff": _OPTIONAL}
_ALPHA = {"alpha_pct": number, "alpha_error_pct": number, "t": _OPTIONAL}
TEAR_SHEET: Shape = {
    "sessions": whole,
    "least": whole,
    "strategies": [
        {
            "strategy": text,
            "baseline": flag,
            **{(key if key == "strategy" else f"{key}?"): shape for key, shape in _SERIES.items()},
            **dict.fromkeys(("mean_gross", "mean_net", "mean_names", "exposed_share"), number),
            "turnover": _OPTIONAL,
            "by_trade": _HITS,
            "by_entry_day": _HITS,
            "against?": [{"symbol": text, "beta": number, **_ALPHA}],
            "factors?": (None, {"r2": number, **_ALPHA}),
            "break_even_bps": _OPTIONAL,
            "capacity": [{"assets_usd": number, "return_pct": number}],
        }
    ],
    "held?": [{"symbol": text, **_SERIES}],
    "notes?": _NOTES,
}
DELAY: Shape = {
    "rungs": [{"delay": text}],
    "strategies": [{"strategy": text, "baseline": flag, "return_pct": [_OPTIONAL]}],
    "benchmark?": (None, {"symbol": text, "return_pct": _OPTIONAL}),
    "notes?": _NOTES,
}
ATTRIBUTION: Shape = {
    "strategies": [
        {
            "strategy": text,
            "profit_usd": number,
            "residual_usd": number,
            "without_headline_usd": number,
            "remainder_usd?": number,
            "headlines": [
                {
                    "profit_usd": number,
                    "title": text,
                    "link": text,
                    "language": text,
                    "source": text,
                    "known_at": moment,
                }
            ],
            "leave_one_out": (None, [{}]),
        }
    ],
    "notes?": _NOTES,
}
TRIALS: Shape = {
    "tried": whole,
    "effective_trials?": whole,
    "least_entry_sessions?": whole,
    "says": text,
    "ledger": {"intact": flag, "broken?": text, "head": text},
    "strategies": [
        {
            "strategy": text,
            "rank": (None, whole),
            "sharpe_annual": _OPTIONAL,
            "psr": _OPTIONAL,
            "dsr": _OPTIONAL,
            "p": _OPTIONAL,
            "q_bh": _OPTIONAL,
            "entry_sessions?": (None, whole),
            "sessions?": whole,
            "intervals?": (None, {"return_pct": [number], "level_pct": number}),
        }
    ],
    "pbo?": (None, {"pbo": number, "trials": whole}),
    "notes?": _NOTES,
}
CRITIQUE: Shape = {
    "strategies": [{"strategy": text, "baseline?": flag, "findings": [{"code?": text, "grade": text, "says": text}]}],
    "notes?": _NOTES,
}
