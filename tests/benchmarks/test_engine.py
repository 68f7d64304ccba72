"""The engine's benchmark compares like with like, and its memory figures count what they say."""

from __future__ import annotations

import numpy as np

from greensplit.benchmarks.engine import memory
from greensplit.benchmarks.engine.city import EVENTS_PER_JUNCTION, Street, city
from greensplit.benchmarks.engine.rivals import against_numpy, against_python
from greensplit.engine.model.validate import validate


def test_the_city_is_valid_and_as_large_as_the_benchmark_says() -> None:
    """Nine junctions with 8 vehicle and 4 pedestrian groups, 16 detectors, and traffic on them all the time."""
    site = city(9)
    assert validate(site) == []
    assert {len(junction.groups) for junction in site.junctions} == {12}
    assert {len(junction.detectors) for junction in site.junctions} == {16}
    assert len(site.links) == 2 * 4 * 3 * 2
    street = Street(9, 9 * 16)
    for now_ms in (1000, 2000):
        street.load(now_ms)
        found = street.read(now_ms)
        assert found.size == len(found.t_ms) == 9 * EVENTS_PER_JUNCTION
        assert (np.diff(found.t_ms) >= 0).all()
        assert now_ms - 1000 <= found.t_ms.min()
        assert found.t_ms.max() < now_ms


def test_numpy_and_plain_python_show_the_same_lamps_as_the_kernels() -> None:
    """They would end the benchmark if they did not; and all of them take time."""
    assert min(against_numpy(40, 80)) > 0.0
    assert min(against_python(4, 80)) > 0.0


def test_a_watched_array_notes_the_lines_of_what_is_read_and_written() -> None:
    """Eight numbers a line: element 3 and 4 share one, 100 has its own; a row of a table is noted by its elements."""
    plain = np.zeros(1024 + 8)
    first = -(plain.__array_interface__["data"][0] // 8) % 8
    watched = plain[first : first + 1024].view(memory.Watched)
    memory._lines.clear()
    watched[3], watched[4] = 1.0, watched[100]
    assert len(memory._lines) == 2
    table = watched.reshape(8, 128)
    memory._lines.clear()
    _ = table[2, 0] + table[2][8]
    assert len(memory._lines) == 2
    memory._lines.clear()
    watched[0:16] = 0.0
    assert len(memory._lines) == 2
