"""MQTT 5: junctions behind a broker, topics after the layout of the RSMP 4 draft, JSON that published schemas describe.

``schemas`` has a JSON Schema per message, ``mosquitto`` a broker's configuration with the permissions of topics.
Needs paho-mqtt. The controller's side, for tests and rehearsals, is ``bridges.standin.mqtt``.
"""
