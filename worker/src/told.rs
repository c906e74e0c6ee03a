//! Tells the log which workflow and activity the code runs for, so that events need not.

use opentelemetry::{Context, trace::FutureExt};
use sealane_service::telemetry::Ids;
use temporalio_sdk::{
    WorkerOptions,
    interceptors::{ActivityInboundInterceptor, ExecuteActivityInput, ExecuteActivityOutput, Next},
    workflow_interceptors::{
        ExecuteWorkflowInput, ExecuteWorkflowResult, HandleQueryInput, HandleQueryResult,
        HandleSignalInput, HandleSignalResult, HandleUpdateInput, HandleUpdateResult,
        SyncWorkflowInterceptorContext, ValidateUpdateInput, ValidateUpdateResult,
        WorkflowInterceptor, WorkflowInterceptorConstructor, WorkflowInterceptorContext,
        WorkflowInterceptorFuture, WorkflowNext,
    },
};

/// Has the events of workflows and activities carry their ids. Comes after tracing, whose context it
/// builds upon.
pub(crate) fn tell(options: &mut WorkerOptions) {
    options
        .activity_inbound_interceptor(Told)
        .workflow_interceptor(WorkflowInterceptorConstructor::new(|_| Told));
}

struct Told;

impl ActivityInboundInterceptor for Told {
    fn execute_activity<'a>(
        &'a self,
        input: ExecuteActivityInput,
        next: Next<'a, ExecuteActivityInput, ExecuteActivityOutput<'a>>,
    ) -> ExecuteActivityOutput<'a> {
        let activity = input.activity_info();
        let ids = Ids::of_workflow(
            activity.workflow_id.as_deref().unwrap_or_default(),
            activity.workflow_run_id.as_deref().unwrap_or_default(),
            activity.workflow_type.as_deref().unwrap_or_default(),
        );
        let ids = ids.with_activity(
            &activity.activity_id,
            &activity.activity_type,
            activity.attempt,
        );
        Box::pin(async move {
            // Only from here on is the span of the activity the current one.
            let context = ids.in_context();
            next.run(input).with_context(context).await
        })
    }
}

impl WorkflowInterceptor for Told {
    fn execute<'a>(
        &'a self,
        ctx: WorkflowInterceptorContext,
        input: ExecuteWorkflowInput,
        next: WorkflowNext<
            'a,
            ExecuteWorkflowInput,
            WorkflowInterceptorFuture<'a, ExecuteWorkflowResult>,
        >,
    ) -> WorkflowInterceptorFuture<'a, ExecuteWorkflowResult> {
        WorkflowInterceptorFuture::new(next.run(input).with_context(context(&ctx)))
    }

    fn handle_signal<'a>(
        &'a self,
        ctx: WorkflowInterceptorContext,
        input: HandleSignalInput,
        next: WorkflowNext<
            'a,
            HandleSignalInput,
            WorkflowInterceptorFuture<'a, HandleSignalResult>,
        >,
    ) -> WorkflowInterceptorFuture<'a, HandleSignalResult> {
        WorkflowInterceptorFuture::new(next.run(input).with_context(context(&ctx)))
    }

    fn handle_update<'a>(
        &'a self,
        ctx: WorkflowInterceptorContext,
        input: HandleUpdateInput,
        next: WorkflowNext<
            'a,
            HandleUpdateInput,
            WorkflowInterceptorFuture<'a, HandleUpdateResult>,
        >,
    ) -> WorkflowInterceptorFuture<'a, HandleUpdateResult> {
        WorkflowInterceptorFuture::new(next.run(input).with_context(context(&ctx)))
    }

    fn handle_query(
        &self,
        ctx: SyncWorkflowInterceptorContext,
        input: HandleQueryInput,
        next: WorkflowNext<'_, HandleQueryInput, HandleQueryResult>,
    ) -> HandleQueryResult {
        let _within = sync_context(&ctx).attach();
        next.run(input)
    }

    fn validate_update(
        &self,
        ctx: SyncWorkflowInterceptorContext,
        input: ValidateUpdateInput,
        next: WorkflowNext<'_, ValidateUpdateInput, ValidateUpdateResult>,
    ) -> ValidateUpdateResult {
        let _within = sync_context(&ctx).attach();
        next.run(input)
    }
}

fn context(ctx: &WorkflowInterceptorContext) -> Context {
    Ids::of_workflow(ctx.workflow_id(), ctx.run_id(), ctx.workflow_type()).in_context()
}

fn sync_context(ctx: &SyncWorkflowInterceptorContext) -> Context {
    Ids::of_workflow(ctx.workflow_id(), ctx.run_id(), ctx.workflow_type()).in_context()
}
