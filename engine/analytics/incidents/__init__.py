"""Incidents: detectors on binned loop data, calibration to a budget of false alarms, and scoring against truth.

``series`` makes bins from a log. Each detector is a module with its citation, its ``Config`` and ``score``: an array
(bins, places) in which 1 is the threshold as published, so that ``calibration`` needs one factor only. ``scoring`` says
what was found, how fast and at how many false alarms. Arrays and data frames; no files, no simulator.
"""
