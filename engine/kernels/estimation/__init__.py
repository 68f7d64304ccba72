"""Traffic that loops do not show directly, estimated from those that there are: one module per idea, no I/O.

``traffic`` is the state that controllers read, ``update`` moves all of it on once a tick.

``queues`` counts who waits, ``shockwave`` reads queues that reach beyond the advance loop, ``discharge`` learns how
fast they leave, ``spillback`` says where there is no room.

``arrivals`` forecasts two minutes: ``outflow`` is what leaves the junctions, ``turning`` where it goes, ``travel`` and
``dispersion`` how long it takes, ``calibration`` what is learned, ``expectation`` the state and ``forecast`` the counts
with their intervals; ``expected_flow`` is what they say of the advance loops.
"""
