"""B-cubed precision and recall of a clustering.

Source: Bagga and Baldwin, "Entity-Based Cross-Document Coreferencing Using the Vector Space
Model", COLING-ACL 1998: for every item the part of its cluster that is of its class, and the
part of its class that is in its cluster, averaged over the items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from screenalytics_core.evaluation.ratios import harmonic_mean


@dataclass(frozen=True, slots=True)
class BCubed:
    """B-cubed over `items`; None where there are none."""

    precision: float | None
    recall: float | None
    f1: float | None
    items: int


def bcubed(items: Sequence[tuple[str, str | None]]) -> BCubed:
    """Score pairs of (true class, predicted cluster); an item without a cluster stands alone.

    Example:
        >>> bcubed([("ana", "x"), ("ana", "x"), ("bo", "x"), ("bo", None)]).precision
        0.6666666666666666
    """
    if not items:
        return BCubed(None, None, None, 0)
    placed: list[tuple[str, Hashable]] = [
        (true, (found,) if found is not None else at) for at, (true, found) in enumerate(items)
    ]
    classes = Counter(true for true, _ in placed)
    clusters = Counter(found for _, found in placed)
    both = Counter(placed)
    count = len(placed)
    precision = sum(both[pair] / clusters[pair[1]] for pair in placed) / count
    recall = sum(both[pair] / classes[pair[0]] for pair in placed) / count
    return BCubed(precision, recall, harmonic_mean(precision, recall), count)
