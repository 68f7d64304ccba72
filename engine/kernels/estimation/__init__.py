"""Traffic that loops do not show directly, estimated from those that there are: one module per idea, no I/O.

``traffic`` holds the state that controllers read and moves it on, ``arrivals`` fills the ring of expected arrivals,
``queues`` counts who waits, ``shockwave`` reads queues that reach beyond the advance loop, ``discharge`` learns how
fast they leave, ``spillback`` says where there is no room.
"""
