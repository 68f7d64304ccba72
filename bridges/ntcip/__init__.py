"""NTCIP controllers (1202, 1201) and signs (1203) over SNMP: the manager side, and the TSCBM broadcast.

Derived from NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission.
"""
