"""Cost of all measures against the atspm package: time and memory of both in one run, loading included."""
