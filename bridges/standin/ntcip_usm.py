"""User-based security of SNMPv3 for the stand-in (RFC 3414; SHA-2 of RFC 7860; AES-128 of RFC 3826)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from Crypto.Cipher import AES

__all__ = ["User", "decrypt", "encrypt", "sign"]

Hash = Literal["sha1", "sha224", "sha256", "sha384", "sha512"]

DIGEST_BYTES: Final = {"sha1": 12, "sha224": 16, "sha256": 24, "sha384": 32, "sha512": 48}
EXPANDED_BYTES: Final = 1 << 20
MIN_PASSWORD: Final = 8
AES_KEY_BYTES: Final = 16


@dataclass(frozen=True)
class User:
    """Somebody who may speak to the agent; ``authority`` is the engine id that the keys are bound to."""

    name: bytes
    may_write: bool
    auth_password: str
    priv_password: str
    authority: bytes
    hash_name: Hash = "sha256"
    auth_key: bytes = field(init=False, repr=False)
    priv_key: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Localise both keys once."""
        object.__setattr__(
            self, "auth_key", localised_key(self.auth_password, self.authority, self.hash_name)
        )
        priv_key = localised_key(self.priv_password, self.authority, self.hash_name)
        object.__setattr__(self, "priv_key", priv_key[:AES_KEY_BYTES])


def localised_key(password: str, engine_id: bytes, hash_name: Hash) -> bytes:
    """Password to key (RFC 3414, A.2)."""
    raw = password.encode()
    if len(raw) < MIN_PASSWORD:
        raise ValueError(f"expected a password of at least {MIN_PASSWORD} bytes, found {len(raw)}")
    expanded = (raw * (EXPANDED_BYTES // len(raw) + 1))[:EXPANDED_BYTES]
    key = hashlib.new(hash_name, expanded).digest()
    return hashlib.new(hash_name, key + engine_id + key).digest()


def sign(user: User, message: bytes) -> bytes:
    """The truncated HMAC over a message whose own digest field is zero."""
    return hmac.digest(user.auth_key, message, user.hash_name)[: DIGEST_BYTES[user.hash_name]]


def encrypt(user: User, boots: int, time_s: int, salt: bytes, plain: bytes) -> bytes:
    """AES-128 in CFB mode over a scoped PDU."""
    return bytes(_cipher(user, boots, time_s, salt).encrypt(plain))


def decrypt(user: User, boots: int, time_s: int, salt: bytes, secret: bytes) -> bytes:
    """What ``encrypt`` took."""
    return bytes(_cipher(user, boots, time_s, salt).decrypt(secret))


def _cipher(user: User, boots: int, time_s: int, salt: bytes) -> Any:
    vector = boots.to_bytes(4, "big") + time_s.to_bytes(4, "big") + salt
    return AES.new(user.priv_key, AES.MODE_CFB, iv=vector, segment_size=128)
