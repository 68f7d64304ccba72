"""The evidence that nothing gets past the interlock: ``python -m benchmarks.safety --json``.

``judge`` is the independent checker, ``drawn`` draws junctions, ``city`` is a city under test, ``hostile`` are its
controllers, ``planted`` the bugs that the checks must find. May import everything; nothing imports it but tests.
"""
