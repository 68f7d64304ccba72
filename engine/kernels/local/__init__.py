"""Local control: what a junction does when nothing adaptive decides, one module per idea, one pass of each per tick.

``control`` joins them into one kernel in front of the signal machine: ``preemption`` for emergency vehicles and
trains, ``starts`` where the rings begin, ``calls`` who wants green, ``coordination`` the local cycle, ``rings`` what
follows, ``gaps`` when a step may end, ``requests`` what the machine is asked for. Off comes before preemption,
preemption before hold and omit, hold before force-off, force-off before gap and maximum.
"""
