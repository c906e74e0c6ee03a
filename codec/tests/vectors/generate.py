#!/usr/bin/env python3
"""Writes the files beside it: payloads sealed by another implementation than ours.

known_answers.json holds what must open, not_a_payload.bin the data of a sealed payload that
decrypts to something else.

    python3 -m venv .venv && .venv/bin/pip install cryptography temporalio
    .venv/bin/python codec/tests/vectors/generate.py

Keys, nonces and inputs are fixed, so the output changes only if the format does. The nonces
are public and must never be used outside these tests.
"""

import base64
import json
import pathlib
import zlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload

KEYS = {
    "aes-128": bytes(range(16)),
    "aes-192": bytes(range(100, 124)),
    "aes-256": bytes(range(200, 232)),
}


def payload(data, **metadata):
    return Payload(metadata={name: value.encode() for name, value in metadata.items()}, data=data)


def serialised(message):
    return message.SerializeToString(deterministic=True)


def zlibbed(inner):
    return payload(zlib.compress(serialised(inner)), encoding="binary/zlib")


def sealed(key_id, nonce, inner):
    """The format of Temporal's encryption samples: the whole payload, serialised."""
    text = AESGCM(KEYS[key_id]).encrypt(nonce, serialised(inner), None)
    outer = payload(nonce + text, encoding="binary/encrypted")
    outer.metadata["encryption-key-id"] = key_id.encode()
    return outer


def legacy(key_id, nonce, data):
    """The format of the Python starter for AKS: the data alone, no key id."""
    text = AESGCM(KEYS[key_id]).encrypt(nonce, data, None)
    return payload(nonce + text, encoding="encrypted/aesgcm")


GREETING = payload(b'"Hello, S\xc3\xa9bastien!"', encoding="json/plain")
NOTHING = payload(b"", encoding="binary/null")
MESSAGE = payload(b'{"name":"x"}', encoding="json/protobuf", messageType="demo.Greeting")
LONG = payload(json.dumps(["item"] * 200).encode(), encoding="json/plain")

# Name, key, what goes into the cipher, and what a reader should get, where that is another thing.
STANDARD = [
    ("JSON under AES-128", "aes-128", GREETING, None),
    ("JSON under AES-192", "aes-192", GREETING, None),
    ("JSON under AES-256", "aes-256", GREETING, None),
    ("no value", "aes-256", NOTHING, None),
    ("a payload with neither metadata nor data", "aes-256", Payload(), None),
    ("raw bytes", "aes-128", payload(bytes(range(256)), encoding="binary/plain"), None),
    ("two metadata entries", "aes-192", MESSAGE, None),
    ("compressed before encryption", "aes-256", zlibbed(LONG), LONG),
]

LEGACY = [
    ("legacy JSON under AES-256", "aes-256", GREETING.data, GREETING),
    ("legacy JSON under AES-128", "aes-128", GREETING.data, GREETING),
    ("legacy without a value", "aes-256", b"", NOTHING),
]


def b64(data):
    return base64.b64encode(data).decode()


def entry(name, key_id, nonce, inner, outer, opened):
    return {
        "name": name,
        "key_id": key_id,
        "nonce": b64(nonce),
        "inner": inner and b64(serialised(inner)),
        "sealed": b64(serialised(outer)),
        "opened": b64(serialised(opened)),
    }


def known_answers():
    entries = []
    for name, key_id, inner, opened in STANDARD:
        nonce = bytes([len(entries) + 1]) * 12
        outer = sealed(key_id, nonce, inner)
        entries.append(entry(name, key_id, nonce, inner, outer, opened or inner))
    for name, key_id, data, opened in LEGACY:
        nonce = bytes([len(entries) + 1]) * 12
        entries.append(entry(name, key_id, nonce, None, legacy(key_id, nonce, data), opened))
    keys = {key_id: b64(key) for key_id, key in KEYS.items()}
    return {"ring": {"active": "aes-256", "keys": keys}, "vectors": entries}


def not_a_payload():
    """One byte ff, with which no serialised message ends, under the key 0 to 31."""
    nonce = bytes(12)
    return nonce + AESGCM(bytes(range(32))).encrypt(nonce, b"\xff", None)


def main():
    here = pathlib.Path(__file__).parent
    (here / "known_answers.json").write_text(json.dumps(known_answers(), indent=2) + "\n")
    (here / "not_a_payload.bin").write_bytes(not_a_payload())


if __name__ == "__main__":
    main()
