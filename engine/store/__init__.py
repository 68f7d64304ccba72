"""The durable event log: the standard four columns as partitioned Parquet. Imports ``engine`` words only.

``logfile`` writes and reads the log of a run. ``eventstore`` is what a daemon appends to for weeks: ``stream`` frames
the batches, ``journal`` and ``writer`` hold them in segments until ``rolling`` makes Parquet of them, ``retention``
takes the oldest away, ``reading`` gives all of it to analytics while it is written.
"""
