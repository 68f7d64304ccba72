"""One mosquitto for all tests of this folder; who kills it starts one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .broker import Authority, Broker, require_mosquitto


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that runs through."""
    require_mosquitto()
    folder = tmp_path_factory.mktemp("broker")
    made = Broker(folder, Authority(folder))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that the test may kill."""
    require_mosquitto()
    made = Broker(tmp_path, Authority(tmp_path))
    made.start()
    yield made
    made.kill()
