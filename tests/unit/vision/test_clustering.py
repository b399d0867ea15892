"""Average linkage: scipy's where nothing is forbidden, and nothing forbidden ever joined."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from screenalytics_core.vision.clustering import cluster_tracks
from screenalytics_core.vision.pooling import normalised

NO_PAIRS = np.zeros((0, 2), np.int64)
seeds = st.integers(0, 2**32 - 1)


def people(seed: int, n: int, noise: float = 0.25, dims: int = 16) -> np.ndarray:
    """`n` vectors around a few random centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(1, n // 5), dims))
    vectors = centres[rng.integers(0, len(centres), n)] + rng.normal(0, noise * 3, (n, dims))
    return normalised(vectors.astype(np.float32))


def forbidden(seed: int, n: int, count: int) -> np.ndarray:
    pairs = np.random.default_rng(seed).integers(0, n, (count, 2))
    return pairs[pairs[:, 0] != pairs[:, 1]]


def groups(vectors: np.ndarray, pairs: np.ndarray = NO_PAIRS, thresh: float = 0.3) -> list:
    return cluster_tracks(np.arange(len(vectors)), vectors, pairs, thresh)


def mean_similarity(vectors: np.ndarray, a: list[int], b: list[int]) -> float:
    return float((vectors[a].astype(np.float64) @ vectors[b].T.astype(np.float64)).mean())


@given(seed=seeds, n=st.integers(2, 60), thresh=st.floats(-0.5, 0.9))
def test_without_constraints_it_is_scipys_average_linkage(seed: int, n: int, thresh: float) -> None:
    vectors = people(seed, n)
    tree = linkage(pdist(vectors.astype(np.float64), "cosine"), "average")
    # At a merge that lies on the threshold to within rounding, both answers are right.
    if np.abs(tree[:, 2] - (1 - thresh)).min() < 1e-5:
        return

    labels = fcluster(tree, 1 - thresh, "distance")

    expected = {tuple(np.flatnonzero(labels == k).tolist()) for k in set(labels.tolist())}
    assert {tuple(g) for g in groups(vectors, thresh=thresh)} == expected


@given(seed=seeds, n=st.integers(2, 40), count=st.integers(1, 60), thresh=st.floats(-0.99, 0.9))
def test_a_forbidden_pair_is_never_in_one_group(
    seed: int, n: int, count: int, thresh: float
) -> None:
    pairs = forbidden(seed, n, count)

    of = {t: i for i, g in enumerate(groups(people(seed, n), pairs, thresh)) for t in g}

    assert sorted(of) == list(range(n))
    assert all(of[a] != of[b] for a, b in pairs.tolist())


@given(seed=seeds, n=st.integers(2, 40), count=st.integers(0, 60), thresh=st.floats(-0.5, 0.9))
def test_it_stops_only_when_nothing_more_may_be_joined(
    seed: int, n: int, count: int, thresh: float
) -> None:
    vectors, pairs = people(seed, n), forbidden(seed, n, count)
    banned = {(a, b) for a, b in pairs.tolist()} | {(b, a) for a, b in pairs.tolist()}

    found = groups(vectors, pairs, thresh)

    for i, a in enumerate(found):
        for b in found[:i]:
            apart = any((x, y) in banned for x in a for y in b)
            assert apart or mean_similarity(vectors, a, b) < thresh + 1e-5


def greedy(vectors: np.ndarray, pairs: np.ndarray, thresh: float) -> set[tuple[int, ...]]:
    """Best first by definition: all pairs of groups measured anew each time, in float64."""
    banned = {frozenset(p) for p in pairs.tolist()}
    found = [[i] for i in range(len(vectors))]
    while True:
        options = [
            (-mean_similarity(vectors, a, b), a, b)
            for i, a in enumerate(found)
            for b in found[i + 1 :]
            if not any(frozenset((x, y)) in banned for x in a for y in b)
        ]
        best = min(options, default=(2.0, [], []))
        if -best[0] < thresh:
            return {tuple(sorted(g)) for g in found}
        found = [g for g in found if g not in (best[1], best[2])] + [sorted(best[1] + best[2])]


@given(seed=seeds, n=st.integers(2, 18), count=st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_with_constraints_the_best_allowed_pair_goes_first(seed: int, n: int, count: int) -> None:
    vectors, pairs = people(seed, n, noise=0.5), forbidden(seed, n, count)

    assert {tuple(g) for g in groups(vectors, pairs, 0.21)} == greedy(vectors, pairs, 0.21)


@given(seed=seeds, n=st.integers(2, 40), count=st.integers(0, 30))
def test_the_order_of_the_input_does_not_matter(seed: int, n: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, pairs = people(seed, n), forbidden(seed, n, count)
    ids = np.sort(rng.choice(1000, n, replace=False))
    order = rng.permutation(n)

    straight = cluster_tracks(ids, vectors, ids[pairs], 0.3)
    shuffled = cluster_tracks(ids[order], vectors[order], ids[pairs[::-1, ::-1]], 0.3)

    assert shuffled == straight


def test_equal_similarities_go_to_the_lowest_ids() -> None:
    same = np.tile(np.array([[1, 0]], np.float32), (4, 1))
    # 0 may join anyone but 1; the lowest pair is joined first, and 1 is left with 3.
    pairs = np.array([[0, 1], [0, 3], [1, 2], [2, 3]])

    assert groups(same, pairs) == [[0, 2], [1, 3]]


def test_a_ban_holds_for_everything_that_its_clusters_grow_into() -> None:
    """1 and 3 look alike, but 1 joined 0 and 3 joined 4, and 0 and 4 were seen together."""
    angles = np.radians([0, 5, 10, 15])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    found = cluster_tracks(np.array([0, 1, 3, 4]), vectors, np.array([[0, 4]]), 0.5)

    assert len(found) == 2
    assert not any({0, 4} <= set(g) for g in found)


@pytest.mark.parametrize(("thresh", "expected"), [(0.6, [[0], [1]]), (0.4, [[0, 1]])])
def test_the_threshold_is_a_cosine_similarity(thresh: float, expected: list[list[int]]) -> None:
    vectors = np.array([[1, 0], [0.5, np.sqrt(0.75)]], np.float32)

    assert groups(vectors, thresh=thresh) == expected


def test_pairs_of_tracks_without_an_embedding_are_left_out() -> None:
    same = np.tile(np.array([[1, 0]], np.float32), (2, 1))

    assert cluster_tracks(np.array([3, 8]), same, np.array([[3, 5], [5, 6]]), 0.5) == [[3, 8]]


@pytest.mark.parametrize("n", [0, 1])
def test_few_tracks_are_fine(n: int) -> None:
    assert groups(np.ones((n, 1), np.float32)) == [[0]][:n]


def at_cosine(similarity: float) -> np.ndarray:
    """Two vectors with this cosine."""
    return np.array([[1, 0], [similarity, np.sqrt(1 - similarity**2)]], np.float32)


@pytest.mark.parametrize(("similarity", "is_one"), [(0.14, False), (0.16, True), (0.31, True)])
def test_who_may_go_on_with_whom_needs_half_the_similarity(similarity: float, is_one: bool) -> None:
    vectors, pair = at_cosine(similarity), np.array([[0, 1]])

    joined = cluster_tracks(np.arange(2), vectors, NO_PAIRS, 0.3, pair)

    assert joined == ([[0, 1]] if is_one else [[0], [1]])
    assert cluster_tracks(np.arange(2), vectors, NO_PAIRS, 0.3, pair[:, ::-1]) == joined


def test_who_may_go_on_is_not_joined_with_somebody_seen_beside_them() -> None:
    pair = np.array([[0, 1]])

    assert cluster_tracks(np.arange(2), at_cosine(0.99), pair, 0.3, pair) == [[0], [1]]


@pytest.mark.parametrize("thresh", [-0.5, 0.0])
def test_a_threshold_that_joins_strangers_is_not_raised(thresh: float) -> None:
    joined = cluster_tracks(
        np.arange(2), at_cosine(thresh - 0.1), NO_PAIRS, thresh, np.array([[0, 1]])
    )

    assert joined == [[0], [1]]


def test_a_raise_is_not_thinned_by_what_the_group_has_grown_to() -> None:
    """Two tracks of one face, and one before them that only the first of the two goes on with."""
    rows = [[1, 0, 0], [0.2, 0.9798, 0], [0.2, 0.9, 0.387]]
    vectors = normalised(np.array(rows, np.float32))

    joined = cluster_tracks(np.arange(3), vectors, NO_PAIRS, 0.3, np.array([[0, 1]]))

    assert joined == [[0, 1, 2]]
    assert cluster_tracks(np.arange(3), vectors, NO_PAIRS, 0.3) == [[0], [1, 2]]


def test_it_holds_a_few_vectors_a_track_and_no_table_of_pairs() -> None:
    peaks = [peak_bytes(count) for count in (200, 400)]

    assert peaks[1] < 2.2 * peaks[0]


def peak_bytes(count: int) -> int:
    vectors = people(1, count)
    chain = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
    tracemalloc.start()
    cluster_tracks(np.arange(count), vectors, chain[::3], 0.3, chain[1::3])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
