"""Look-ahead: plays each stage forward over the vehicles that are to come, and takes the one with the least delay.

``board`` holds what is fixed at a junction, ``demand`` who wants to pass, ``rates`` how fast lanes empty, ``playout``
one game, ``search`` the choice of the first move, ``policy`` the controller.
"""
