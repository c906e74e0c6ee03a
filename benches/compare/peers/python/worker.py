"""The greeting flow on Temporal's Python SDK, encrypted as its sample does it."""

import asyncio
import dataclasses
import json
import os
import sys
from base64 import b64decode
from collections.abc import Iterable
from datetime import timedelta

from temporalio import activity, converter, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.worker import Worker

# The sandbox of workflows imports this file again for each of them.
with workflow.unsafe.imports_passed_through():
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class EncryptionCodec(converter.PayloadCodec):
    """The format of the samples: nonce, ciphertext and tag of the whole payload."""

    def __init__(self, key_id: str, key: bytes) -> None:
        self._key_id = key_id.encode()
        self._cipher = AESGCM(key)

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={
                    "encoding": b"binary/encrypted",
                    "encryption-key-id": self._key_id,
                },
                data=self._seal(payload.SerializeToString()),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _seal(self, data: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, data, None)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != b"binary/encrypted":
            return payload
        nonce, sealed = payload.data[:12], payload.data[12:]
        return Payload.FromString(self._cipher.decrypt(nonce, sealed, None))


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def process(greeting: str) -> str:
    return f"Processed: {greeting}"


@activity.defn
async def finish(processed: str) -> str:
    return f"Final result: {processed}"


@workflow.defn
class GreetingWorkflow:
    @workflow.run
    async def run(self, name: str) -> str:
        limit = timedelta(seconds=10)
        greeting = await workflow.execute_activity(
            greet, name, start_to_close_timeout=limit
        )
        processed = await workflow.execute_activity(
            process, greeting, start_to_close_timeout=limit
        )
        return await workflow.execute_activity(
            finish, processed, start_to_close_timeout=limit
        )


def data_converter() -> converter.DataConverter:
    with open(os.environ["SEALANE_KEY_FILE"], encoding="utf-8") as file:
        ring = json.load(file)
    active = ring["active"]
    return dataclasses.replace(
        converter.default(),
        payload_codec=EncryptionCodec(active, b64decode(ring["keys"][active])),
    )


async def main() -> None:
    client = await Client.connect(
        os.environ["TEMPORAL_ADDRESS"], data_converter=data_converter()
    )
    worker = Worker(
        client,
        task_queue=os.environ["TEMPORAL_TASK_QUEUE"],
        workflows=[GreetingWorkflow],
        activities=[greet, process, finish],
    )
    async with worker:
        print("polling", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
