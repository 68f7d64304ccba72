"""Every error that greensplit raises on purpose.

GreensplitError
├── InputError            what the user gave is wrong: exit code 2
│   ├── ModelError        a site description that cannot be controlled
│   ├── NetworkError      a SUMO network, route or detector file that cannot be used
│   ├── ScenarioError     an unknown scenario, or one whose data are not installed
│   └── OutputError       a run directory that exists or cannot be written
└── WorkError             the input was fine and the work failed: exit code 1
    ├── SimulatorError    SUMO is missing, of another version, or stopped
    ├── BridgeError       a field controller that is silent, answers wrongly or refuses
    └── StorageError      the disk is full or the log is damaged
"""

from __future__ import annotations

__all__ = [
    "BridgeError",
    "GreensplitError",
    "InputError",
    "ModelError",
    "NetworkError",
    "OutputError",
    "ScenarioError",
    "SimulatorError",
    "StorageError",
    "WorkError",
]


class GreensplitError(Exception):
    """Root of the tree. The message says what was expected, what was found, and where, in one line."""

    exit_code = 1


class InputError(GreensplitError):
    """What the user gave is wrong."""

    exit_code = 2


class ModelError(InputError):
    """A site description that cannot be controlled."""


class NetworkError(InputError):
    """A SUMO network, route or detector file that cannot be used."""


class ScenarioError(InputError):
    """An unknown scenario, or one whose data are not installed."""


class OutputError(InputError):
    """A run directory that exists or cannot be written."""


class WorkError(GreensplitError):
    """The input was fine and the work failed."""


class SimulatorError(WorkError):
    """SUMO is missing, of another version, or stopped."""


class BridgeError(WorkError):
    """A field controller that is silent, answers wrongly or refuses."""


class StorageError(WorkError):
    """The disk is full or the log is damaged."""
