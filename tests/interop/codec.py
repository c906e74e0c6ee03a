"""The payload format of Temporal's encryption samples, for one key.

Written against the description of the format, not against our Rust code: whoever agrees with this
module agrees with the samples. Like theirs it knows a single key and refuses every other id.
"""

import dataclasses
import json
import os
from base64 import b64decode
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio import converter
from temporalio.api.common.v1 import Payload

ENCODING = b"binary/encrypted"
NONCE_LENGTH = 12


class EncryptionCodec(converter.PayloadCodec):
    """Wraps whole payloads: nonce, ciphertext and tag are the data of the outer one."""

    def __init__(self, key_id: str, key: bytes) -> None:
        super().__init__()
        self._key_id = key_id.encode()
        self._cipher = AESGCM(key)

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_LENGTH)
        sealed = self._cipher.encrypt(nonce, payload.SerializeToString(), None)
        metadata = {"encoding": ENCODING, "encryption-key-id": self._key_id}
        return Payload(metadata=metadata, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        # Stricter than the samples, so that nothing in plaintext goes unnoticed.
        if payload.metadata.get("encoding") != ENCODING:
            raise ValueError("payload is not encrypted")
        key_id = payload.metadata.get("encryption-key-id")
        if key_id != self._key_id:
            raise ValueError(f"key id is {key_id!r}, expected {self._key_id!r}")
        nonce, sealed = payload.data[:NONCE_LENGTH], payload.data[NONCE_LENGTH:]
        return Payload.FromString(self._cipher.decrypt(nonce, sealed, None))


def data_converter() -> converter.DataConverter:
    """Returns the SDK's converter with the active key of SEALANE_KEY_FILE before it."""
    with open(os.environ["SEALANE_KEY_FILE"], encoding="utf-8") as file:
        ring = json.load(file)
    active = ring["active"]
    return dataclasses.replace(
        converter.default(),
        payload_codec=EncryptionCodec(active, b64decode(ring["keys"][active])),
        failure_converter_class=converter.DefaultFailureConverterWithEncodedAttributes,
    )
