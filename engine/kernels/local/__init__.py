"""Local control: what a junction does when nothing adaptive decides, one module per idea.

``control`` joins them into one kernel in front of the signal machine: ``calls`` who wants green, ``gaps`` when a step
may end, ``rings`` what follows, ``coordination`` the local cycle, ``preemption`` emergency vehicles and trains.
"""
