"""The report's bench measures a real report and says whether its limits hold."""

from __future__ import annotations

from benchmarks import report as bench


def test_the_bench_makes_both_files_and_judges_them() -> None:
    results = bench.measure(people=2, shots=30, rounds=1)

    assert results["people"] == 2
    assert min(results[k] for k in ("tracks", "cpu_s", "ratio", "pdf_bytes", "html_bytes")) > 0
    assert "holds" in bench.report({**results, "cpu_s": 3.0, "pdf_bytes": 4_999_999})[0]
    assert "MISSED" in bench.report({**results, "cpu_s": 3.01})[0]
    assert "MISSED" in bench.report({**results, "pdf_bytes": 5_000_000})[0]


def test_the_sample_of_the_bench_is_as_large_as_promised() -> None:
    results = bench.measure(rounds=1)

    assert results["people"] == 12
    assert results["tracks"] >= 2000
