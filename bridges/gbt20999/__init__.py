"""GB/T 20999-2017, the Chinese protocol between a host and a signal controller.

``frame`` and ``stream`` know bytes, ``catalogue`` knows objects, ``values`` what stands in them, ``link`` sockets,
``host`` the dialogue with one controller, ``profile`` what differs from maker to maker. The text of the standard was
not at hand: what is here follows published frames of a real controller and what independent hosts and controllers
agree on; where they do not agree, ``profile`` says so and ``probe`` asks the device.
"""
