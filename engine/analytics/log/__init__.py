"""Event logs as the analytics read them: any file with the four standard columns, as sorted events per device.

``columns`` names and types, ``source`` files and frames, ``packing`` order and duplicates, ``events`` what a
measure gets, ``detectors`` what stands where. Imports only from ``engine``.
"""

from .detectors import DETECTOR_SCHEMA, read_detectors, site_detectors
from .events import DeviceLog
from .source import EventLog, open_log

__all__ = ["DETECTOR_SCHEMA", "DeviceLog", "EventLog", "open_log", "read_detectors", "site_detectors"]
