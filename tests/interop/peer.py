"""A workflow and its activity, in Python."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError


@activity.defn(name="describe")
async def describe(name: str, note: str) -> str:
    return f"{name} is {note}"


@workflow.defn(name="PeerWorkflow")
class PeerWorkflow:
    """Waits for the signal `note`, then lets an activity describe the name it was given."""

    def __init__(self) -> None:
        self._note: str | None = None

    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.wait_condition(lambda: self._note is not None)
        if self._note == "missing":
            raise ApplicationError(f"nobody knows {name}", [name], type="Missing")
        return await workflow.execute_activity(
            "describe",
            args=[name, self._note],
            result_type=str,
            start_to_close_timeout=timedelta(seconds=10),
        )

    @workflow.signal(name="note")
    def note(self, text: str) -> None:
        self._note = text

    @workflow.query(name="noted")
    def noted(self) -> str | None:
        return self._note
