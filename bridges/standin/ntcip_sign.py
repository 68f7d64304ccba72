"""A simulated variable sign (NTCIP 1203): message memories, validation, activation, and its reasons to refuse.

Derived from NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission.

Fills ``Tree`` with the objects of the dialogue, no more: it renders nothing, keeps no time and has no fonts. Its
control mode is that of the cabinet and cannot be written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from greensplit.engine.errors import BridgeError

from ..ntcip.objects import Instance, Value, check_value, instance, type_at
from ..ntcip.sign import BLANK, Activation, message_crc
from . import ntcip_ber as ber
from .ntcip_agent import (
    GEN_ERR,
    NO_CREATION,
    NOT_WRITABLE,
    WRONG_LENGTH,
    WRONG_TYPE,
    WRONG_VALUE,
    SetRefused,
)
from .ntcip_ber import Oid, Varbind
from .ntcip_tree import TAG_OF

__all__ = ["CENTRAL", "LOCAL", "SignTree"]

LOCAL: Final = 2
CENTRAL: Final = 4
CHANGEABLE, VOLATILE, CURRENT = 3, 4, 5
NOT_USED, MODIFYING, VALID, INVALID = 1, 2, 4, 5
MODIFY_REQUEST, VALIDATE_REQUEST, NOT_USED_REQUEST = 6, 7, 8
NO_ERROR, SYNTAX_MULTI, UNSUPPORTED_TAG = 2, 5, 3
PRIORITY, UNDER_VALIDATION, MEMORY_TYPE, MESSAGE_NUMBER, MESSAGE_CRC, LOCAL_MODE = 3, 4, 5, 6, 7, 9
SYNTAX_REFUSED: Final = 8
TEXT_PARTS: Final = (
    "dmsMessageMultiString",
    "dmsMessageOwner",
    "dmsMessageBeacon",
    "dmsMessagePixelService",
    "dmsMessageRunTimePriority",
)
SCALARS: Final[dict[str, Value]] = {
    "dmsNumPermanentMsg": 0,
    "dmsNumChangeableMsg": 0,
    "dmsNumVolatileMsg": 0,
    "dmsValidateMessageError": NO_ERROR,
    "dmsControlMode": CENTRAL,
    "dmsActivateMessage": BLANK.encode(),
    "dmsMessageTimeRemaining": BLANK.duration_min,
    "dmsMsgTableSource": BLANK.encode()[3:8],
    "dmsActivateMsgError": NO_ERROR,
    "dmsMultiSyntaxError": NO_ERROR,
    "dmsMultiSyntaxErrorPosition": 0,
}
BRACKETS: Final = re.compile(rb"\[\[|\]\]|\[[^\[\]]*\]|[\[\]]")
TAG: Final = re.compile(
    rb"\[(nl\d*|np|pt\d*(o\d*)?|jl[1-5]|jp[1-4]|fo\d*|c[fbr][\d,]*|pb[\d,]*|/?fl[\dto]*|/?sc\d*|hc[0-9A-Fa-f]+"
    rb"|g\d+[\d,A-Fa-f]*|tr[\d,]+|mv.*|f\d+(,\d+)?|/?ms.*)\]"
)


class SignTree:
    """A sign with ``messages`` places in changeable and as many in volatile memory. ``mode`` is its cabinet's."""

    def __init__(self, messages: int = 4) -> None:
        self._values: dict[Instance, Value] = {instance(name): value for name, value in SCALARS.items()}
        for name in ("dmsMaxChangeableMsg", "dmsMaxVolatileMsg"):
            self._values[instance(name)] = messages
        rows = [(memory, n) for memory in (CHANGEABLE, VOLATILE) for n in range(1, messages + 1)]
        for memory, number in (*rows, (CURRENT, 1)):
            self._values |= _empty(memory, number)
        self._rows = frozenset(rows)
        self._oids = sorted(what.oid for what in self._values)
        self._shown = BLANK
        self._shown_priority = 0

    @property
    def mode(self) -> int:
        """Who rules: LOCAL or CENTRAL."""
        value = self._values[instance("dmsControlMode")]
        assert isinstance(value, int)
        return value

    @mode.setter
    def mode(self, mode: int) -> None:
        self._values[instance("dmsControlMode")] = mode

    @property
    def shown(self) -> bytes:
        """The text that is displayed, empty for blank."""
        return self._text(CURRENT, 1)

    def get(self, oid: Oid) -> Varbind:
        """The instance, or why there is none."""
        what = type_at(oid)
        if what is None or what not in self._values:
            return Varbind(oid, ber.NO_SUCH_OBJECT if what is None else ber.NO_SUCH_INSTANCE, None)
        return Varbind(oid, TAG_OF[what.kind.syntax], self._values[what])

    def after(self, oid: Oid) -> Varbind | None:
        """The next instance in order."""
        at = bisect_right(self._oids, oid)
        return self.get(self._oids[at]) if at < len(self._oids) else None

    def set(self, varbinds: Sequence[Varbind], master: str) -> None:  # noqa: ARG002  (all masters are one to a sign)
        """Judge all, then do all; only the reason of a refused activation is kept."""
        wanted = [self._checked(n, varbind) for n, varbind in enumerate(varbinds, start=1)]
        for what, value in wanted:
            if what.kind.name == "dmsMessageStatus" and isinstance(value, int):
                self._request(what, value)
            elif isinstance(value, bytes) and not what.row:
                self._show(Activation.decode(value))
            else:
                self._values[what] = value

    def _checked(self, n: int, varbind: Varbind) -> tuple[Instance, Value]:
        what, value = type_at(varbind.oid), varbind.value
        if what is None or what not in self._values:
            raise SetRefused(n, NO_CREATION)
        name = what.kind.name
        if name not in (*TEXT_PARTS, "dmsMessageStatus", "dmsActivateMessage") or what.row[:1] == (CURRENT,):
            raise SetRefused(n, NOT_WRITABLE)
        if varbind.tag != TAG_OF[what.kind.syntax] or value is None:
            raise SetRefused(n, WRONG_TYPE)
        try:
            check_value(what, value)
        except BridgeError as err:
            raise SetRefused(n, WRONG_LENGTH if isinstance(value, bytes) else WRONG_VALUE) from err
        if name == "dmsActivateMessage":
            self._judge_activation(n, value)
        elif self.mode == LOCAL:
            raise SetRefused(n, GEN_ERR)
        elif name == "dmsMessageStatus":
            self._judge_request(n, what, value)
        elif self._number("dmsMessageStatus", *what.row) != MODIFYING:
            raise SetRefused(n, GEN_ERR)
        return what, value

    def _judge_request(self, n: int, what: Instance, value: Value) -> None:
        """A message is validated out of modifying only; the states themselves are the sign's to set."""
        if value not in (MODIFY_REQUEST, VALIDATE_REQUEST, NOT_USED_REQUEST):
            raise SetRefused(n, WRONG_VALUE)
        if value == VALIDATE_REQUEST and self._values[what] != MODIFYING:
            raise SetRefused(n, GEN_ERR)

    def _judge_activation(self, n: int, value: Value) -> None:
        assert isinstance(value, bytes)
        reason = self._reason_against(Activation.decode(value))
        self._values[instance("dmsActivateMsgError")] = reason
        if reason != NO_ERROR:
            raise SetRefused(n, GEN_ERR)

    def _reason_against(self, code: Activation) -> int:
        """What dmsActivateMsgError says of an activation."""
        if self.mode == LOCAL:
            return LOCAL_MODE
        if code.priority < self._shown_priority:
            return PRIORITY
        if code.memory == BLANK.memory:
            return NO_ERROR if code.crc == BLANK.crc else MESSAGE_CRC
        if code.memory not in (CHANGEABLE, VOLATILE):
            return MEMORY_TYPE
        if (code.memory, code.number) not in self._rows:
            return MESSAGE_NUMBER
        status = self._number("dmsMessageStatus", code.memory, code.number)
        if status == INVALID:
            return SYNTAX_REFUSED
        if status != VALID:
            return MESSAGE_NUMBER if status == NOT_USED else UNDER_VALIDATION
        crc = self._number("dmsMessageCRC", code.memory, code.number)
        return NO_ERROR if code.crc == crc else MESSAGE_CRC

    def _request(self, state: Instance, request: int) -> None:
        """Validation ends at once."""
        memory, number = state.row
        if request == MODIFY_REQUEST:
            self._values[state] = MODIFYING
        elif request == NOT_USED_REQUEST:
            self._values |= _empty(memory, number)
        else:
            wrong = _first_wrong_tag(self._text(memory, number))
            self._values[instance("dmsValidateMessageError")] = NO_ERROR if wrong is None else SYNTAX_MULTI
            self._values[instance("dmsMultiSyntaxError")] = NO_ERROR if wrong is None else UNSUPPORTED_TAG
            self._values[instance("dmsMultiSyntaxErrorPosition")] = wrong or 0
            self._values[instance("dmsMessageCRC", memory, number)] = self._crc(memory, number)
            self._values[state] = VALID if wrong is None else INVALID

    def _crc(self, memory: int, number: int) -> int:
        beacon = self._number("dmsMessageBeacon", memory, number)
        pixel_service = self._number("dmsMessagePixelService", memory, number)
        return message_crc(self._text(memory, number), bool(beacon), bool(pixel_service))

    def _show(self, code: Activation) -> None:
        self._values |= _empty(CURRENT, 1)
        self._shown_priority = 0
        if code.memory != BLANK.memory:
            for name in (*TEXT_PARTS, "dmsMessageCRC", "dmsMessageStatus"):
                self._values[instance(name, CURRENT, 1)] = self._values[
                    instance(name, code.memory, code.number)
                ]
            self._shown_priority = self._number("dmsMessageRunTimePriority", CURRENT, 1)
        octets = code.encode()
        self._values[instance("dmsActivateMessage")] = octets
        self._values[instance("dmsMsgTableSource")] = octets[3:8]
        self._values[instance("dmsMessageTimeRemaining")] = code.duration_min

    def _number(self, name: str, memory: int, number: int) -> int:
        value = self._values[instance(name, memory, number)]
        assert isinstance(value, int)
        return value

    def _text(self, memory: int, number: int) -> bytes:
        value = self._values[instance("dmsMessageMultiString", memory, number)]
        assert isinstance(value, bytes)
        return value


def _empty(memory: int, number: int) -> dict[Instance, Value]:
    """A place in which there is no message."""
    row: dict[str, Value] = {
        "dmsMessageMemoryType": memory,
        "dmsMessageNumber": number,
        "dmsMessageMultiString": b"",
        "dmsMessageOwner": b"",
        "dmsMessageCRC": 0,
        "dmsMessageBeacon": 0,
        "dmsMessagePixelService": 0,
        "dmsMessageRunTimePriority": 1,
        "dmsMessageStatus": NOT_USED,
    }
    return {instance(name, memory, number): value for name, value in row.items()}


def _first_wrong_tag(multi: bytes) -> int | None:
    """Where the first tag stands that MULTI does not have."""
    for found in BRACKETS.finditer(multi):
        if found[0] not in (b"[[", b"]]") and TAG.fullmatch(found[0]) is None:
            return found.start()
    return None
