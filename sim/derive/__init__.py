"""From a SUMO network to the model, with no hand-written configuration: groups, meetings, times, stages, loops, links.

``site.derive_site`` is the way in. What could not be derived is said in the site's ``assumptions``.
"""
