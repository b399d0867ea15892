"""Ratios of counts."""

from __future__ import annotations


def ratio(part: float, whole: float) -> float | None:
    """Return `part / whole`; None where there is nothing to divide by."""
    return part / whole if whole else None


def percent(part: float | None, whole: float) -> float | None:
    """Return 100 `part / whole`; None where either is missing."""
    return None if part is None or whole <= 0 else 100 * part / whole


def harmonic_mean(first: float, second: float) -> float:
    """Return the F1 of a precision and a recall; 0 where both are 0."""
    return 2 * first * second / (first + second) if first + second else 0.0
