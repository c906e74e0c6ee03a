"""Reads the result of a workflow whose payloads Sealane keeps in blob storage, as a peer would.

usage: external_storage.py    ({"id": …, "blobs": a folder of blobs} on standard input)

The references are found and read by Temporal's SDK; the driver below only knows where blobs are.
"""

import asyncio
import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from codec import data_converter
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1.external_storage_pb2 import ExternalStorageReference
from temporalio.client import Client
from temporalio.converter import (
    ExternalStorage,
    JSONProtoPayloadConverter,
    StorageDriver,
    StorageDriverClaim,
)

MESSAGE_TYPE = ExternalStorageReference.DESCRIPTOR.full_name.encode()


class BlobDriver(StorageDriver):
    """Reads what is in a folder, and stores nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self) -> str:
        return "azure.blobdriver"

    async def store(self, context, payloads):
        raise NotImplementedError

    async def retrieve(
        self, context, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return [self._read(claim.claim_data) for claim in claims]

    def _read(self, claim) -> Payload:
        blob = (self._folder / claim["key"]).read_bytes()
        assert claim["hash_algorithm"] == "sha256"
        assert hashlib.sha256(blob).hexdigest() == claim["hash_value"]
        return Payload.FromString(blob)


async def connect(**changes) -> Client:
    converter = dataclasses.replace(data_converter(), **changes)
    return await Client.connect(os.environ["TEMPORAL_ADDRESS"], data_converter=converter)


async def without_driver(workflow_id: str) -> str:
    """What a client without external storage says, which the codec must not see first."""
    client = await connect(payload_codec=None)
    try:
        return str(await client.get_workflow_handle(workflow_id).result())
    except Exception as error:  # Whatever it is, the test reads it.
        return repr(error)


async def references(workflow_id: str) -> list[tuple[str, int]]:
    """Driver and size of each reference that the server has in the ends of the history."""
    client = await connect(payload_codec=None)
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    first, last = history.events[0], history.events[-1]
    payloads = [
        *first.workflow_execution_started_event_attributes.input.payloads,
        *last.workflow_execution_completed_event_attributes.result.payloads,
    ]
    found = []
    for payload in payloads:
        assert payload.metadata["encoding"] == b"json/protobuf", payload.metadata
        assert payload.metadata["messageType"] == MESSAGE_TYPE
        reference = JSONProtoPayloadConverter().from_payload(payload)
        found.append((reference.driver_name, payload.external_payloads[0].size_bytes))
    return found


async def main() -> None:
    asked = json.load(sys.stdin)
    found = await references(asked["id"])
    storage = ExternalStorage(drivers=[BlobDriver(Path(asked["blobs"]))])
    client = await connect(external_storage=storage)
    result = await client.get_workflow_handle(asked["id"]).result()
    print(
        json.dumps(
            {
                "start": result[:40],
                "length": len(result),
                "references": len(found),
                "drivers": sorted({driver for driver, _ in found}),
                "sizes": sum(size for _, size in found),
                "without": await without_driver(asked["id"]),
            }
        )
    )


asyncio.run(main())
# The SDK's runtime sometimes aborts while the interpreter takes its modules down (seen with 1.35.0).
sys.stdout.flush()
os._exit(0)
