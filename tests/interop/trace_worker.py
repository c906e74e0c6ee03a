"""Runs PeerTraced and the activity look, which answer with the trace context they are given.

The header is read as it comes, the way the SDK's own OpenTelemetry interceptor reads it: headers
do not pass the codec.
"""

import asyncio
import json
import os
import sys

from codec import data_converter
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import (
    ActivityInboundInterceptor,
    Interceptor,
    Worker,
    WorkflowInboundInterceptor,
)

HEADER = "_tracer-data"


def traceparent(headers) -> str | None:
    payload = headers.get(HEADER)
    return json.loads(payload.data)["traceparent"] if payload else None


class TellActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input):
        input.args = [traceparent(input.headers)]
        return await self.next.execute_activity(input)


class TellWorkflow(WorkflowInboundInterceptor):
    async def execute_workflow(self, input):
        input.args = [traceparent(input.headers)]
        return await self.next.execute_workflow(input)


class Tell(Interceptor):
    def intercept_activity(self, next):
        return TellActivity(next)

    def workflow_interceptor_class(self, input):
        return TellWorkflow


@activity.defn(name="look")
async def look(told: str | None) -> dict:
    return {"traceparent": told, "ids": None}


@workflow.defn(name="PeerTraced", sandboxed=False)
class PeerTraced:
    @workflow.run
    async def run(self, told: str | None) -> str | None:
        return told


async def main() -> None:
    client = await Client.connect(
        os.environ["TEMPORAL_ADDRESS"], data_converter=data_converter()
    )
    worker = Worker(
        client,
        task_queue=os.environ["TEMPORAL_TASK_QUEUE"],
        workflows=[PeerTraced],
        activities=[look],
        interceptors=[Tell()],
    )
    async with worker:
        print("polling", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
