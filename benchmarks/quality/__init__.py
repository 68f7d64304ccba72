"""How good our timings are beside every rival's, on equal seeds: ``python -m benchmarks.quality --json``.

``sources`` hashes the code that decides a run, ``store`` keeps finished runs by it, ``measure`` does one run,
``sweep`` many; ``bound`` is what no signal can beat, ``calls`` how long calls waited; ``comparison``,
``robustness`` and ``stress`` turn rows into figures, ``tables`` and ``chart`` into something to look at. May import
everything.
"""
