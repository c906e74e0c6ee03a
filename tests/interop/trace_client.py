"""Runs TracedWorkflow in a trace of its own and prints what it answers, as JSON.

usage: trace_client.py ID    (the trace context is JSON on standard input)
"""

import asyncio
import json
import os
import sys

from codec import data_converter
from temporalio.client import Client, Interceptor, OutboundInterceptor
from temporalio.converter import PayloadConverter

HEADER = "_tracer-data"


class InjectOutbound(OutboundInterceptor):
    def __init__(self, next, context: dict) -> None:
        super().__init__(next)
        self._payload = PayloadConverter.default.to_payload(context)

    async def start_workflow(self, input):
        input.headers = {**input.headers, HEADER: self._payload}
        return await super().start_workflow(input)


class Inject(Interceptor):
    def __init__(self, context: dict) -> None:
        self._context = context

    def intercept_client(self, next):
        return InjectOutbound(super().intercept_client(next), self._context)


async def main(workflow_id: str) -> None:
    client = await Client.connect(
        os.environ["TEMPORAL_ADDRESS"],
        data_converter=data_converter(),
        interceptors=[Inject(json.load(sys.stdin))],
    )
    result = await client.execute_workflow(
        "TracedWorkflow",
        None,
        id=workflow_id,
        task_queue=os.environ["TEMPORAL_TASK_QUEUE"],
    )
    print(json.dumps(result))


asyncio.run(main(*sys.argv[1:]))
# The SDK's runtime sometimes aborts while the interpreter takes its modules down (seen with 1.35.0).
sys.stdout.flush()
os._exit(0)
