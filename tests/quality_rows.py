"""Rows of the quality bench as tests need them."""

from __future__ import annotations

from typing import Any


def row(**more: Any) -> dict[str, Any]:
    return {
        "setup": "scrfd", "who": "product", "clip": "one", "bcubed_f1": 0.99,
        "bcubed_precision": 0.99, "bcubed_recall": 0.99, "recall": 1.0, "precision": 1.0,
        "tolerant_error_percent": 0.5, "error_percent": 0.7, "identities": 3, "people": 3,
        "identity_count_error": 0, "main_people_split": 0, "split": [], "cut_f1_exact": 0.9,
        "cut_f1": 1.0, "bounds_inside": 3, "bounds": 3, "cpu_s": 10.0, **more,
    }  # fmt: skip
