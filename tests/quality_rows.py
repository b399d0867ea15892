"""A small truth and rows of the quality bench, as its tests need them."""

from __future__ import annotations

from typing import Any

FRAMES = 10


def truth_document() -> dict[str, Any]:
    """Two main people side by side for ten frames at ten per second, one cut."""
    faces = [
        {"frame_idx": frame, "person": person, "bbox_xyxy": [x, 0, x + 10, 10],
         "small": False, "hard": False}
        for frame in range(FRAMES) for person, x in (("Ann", 0), ("Bob", 50))
    ]  # fmt: skip
    return {
        "clip": "made.mp4", "fps": 10, "frames": FRAMES, "width": 200, "height": 50, "cuts": [5],
        "persons": {p: {"gallery": None, "main": True} for p in ("Ann", "Bob")},
        "labelled_frames": list(range(FRAMES)), "faces": faces,
        "visible": {p: [[0, FRAMES - 1]] for p in ("Ann", "Bob")},
        "visible_clear": {p: [[0, FRAMES - 1]] for p in ("Ann", "Bob")},
    }  # fmt: skip


def row(**more: Any) -> dict[str, Any]:
    return {
        "setup": "scrfd", "who": "product", "clip": "one", "bcubed_f1": 0.99,
        "bcubed_precision": 0.99, "bcubed_recall": 0.99, "recall": 1.0, "precision": 1.0,
        "tolerant_error_percent": 0.5, "error_percent": 0.7, "identities": 3, "people": 3,
        "identity_count_error": 0, "main_people_split": 0, "split": [], "cut_f1_exact": 0.9,
        "cut_f1": 1.0, "bounds_inside": 3, "bounds": 3, "cpu_s": 10.0, **more,
    }  # fmt: skip
