"""Runs a workflow of any type and prints how it ended, as JSON.

usage: client.py TYPE ID    (the input is JSON on standard input)
"""

import asyncio
import json
import os
import sys

from codec import data_converter
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError


async def main(workflow_type: str, workflow_id: str) -> None:
    client = await Client.connect(
        os.environ["TEMPORAL_ADDRESS"], data_converter=data_converter()
    )
    try:
        result = await client.execute_workflow(
            workflow_type,
            json.load(sys.stdin),
            id=workflow_id,
            task_queue=os.environ["TEMPORAL_TASK_QUEUE"],
        )
        print(json.dumps({"result": result}))
    except WorkflowFailureError as error:
        cause = error.cause
        kind = cause.type if isinstance(cause, ApplicationError) else None
        print(json.dumps({"failure": cause.message, "type": kind}))


asyncio.run(main(*sys.argv[1:]))
# The SDK's runtime sometimes aborts while the interpreter takes its modules down (seen with 1.35.0).
sys.stdout.flush()
os._exit(0)
