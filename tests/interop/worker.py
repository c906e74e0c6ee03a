"""Runs PeerWorkflow until it is killed."""

import asyncio
import os
import sys

from codec import data_converter
from peer import PeerWorkflow, describe
from temporalio.client import Client
from temporalio.worker import Worker


async def main() -> None:
    client = await Client.connect(
        os.environ["TEMPORAL_ADDRESS"], data_converter=data_converter()
    )
    worker = Worker(
        client,
        task_queue=os.environ["TEMPORAL_TASK_QUEUE"],
        workflows=[PeerWorkflow],
        activities=[describe],
    )
    async with worker:
        print("polling", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
