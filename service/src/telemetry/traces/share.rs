//! Which spans are recorded.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt, TraceId},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// Marks a context that came with a request, from somebody who may be anybody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stranger;

/// Records a share of the traces that begin here, and of those that strangers want recorded. Any
/// other span follows its parent.
#[derive(Clone, Debug)]
pub(super) struct Share {
    ratio: Sampler,
    by_parent: Sampler,
}

impl Share {
    pub(super) fn of(ratio: f64) -> Self {
        let ratio = Sampler::TraceIdRatioBased(ratio);
        let by_parent = Sampler::ParentBased(Box::new(ratio.clone()));
        Self { ratio, by_parent }
    }
}

impl ShouldSample for Share {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let ask =
            |sampler: &Sampler| sampler.should_sample(parent, trace, name, kind, attributes, links);
        let by_parent = ask(&self.by_parent);
        // Who does not want a trace recorded is heard.
        let wanted = by_parent.decision == SamplingDecision::RecordAndSample;
        if wanted && parent.is_some_and(is_from_stranger) {
            ask(&self.ratio)
        } else {
            by_parent
        }
    }
}

/// What is done for a request has a span of this process as its parent, and follows that.
fn is_from_stranger(parent: &Context) -> bool {
    parent.get::<Stranger>().is_some() && parent.span().span_context().is_remote()
}

#[cfg(test)]
mod tests {
    use opentelemetry::{
        Context,
        trace::{
            SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
            TracerProvider,
        },
    };
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::{Share, Stranger};

    const YES: TraceFlags = TraceFlags::SAMPLED;
    const NO: TraceFlags = TraceFlags::NOT_SAMPLED;

    fn parent(context: &Context, flags: TraceFlags) -> Context {
        let state = TraceState::default();
        let (trace, span) = (TraceId::from(0xabc), SpanId::from(0xd));
        context.with_remote_span_context(SpanContext::new(trace, span, flags, true, state))
    }

    /// Whether a span below `parent` is recorded, and one below that.
    fn recorded(ratio: f64, parent: &Context) -> [bool; 2] {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Share::of(ratio))
            .build();
        let tracer = provider.tracer("test");
        let first = parent.with_span(tracer.start_with_context("first", parent));
        let second = first.with_span(tracer.start_with_context("second", &first));
        [first, second].map(|context| context.span().span_context().is_sampled())
    }

    #[test]
    fn strangers_get_no_more_recorded_than_the_share() {
        let stranger = Context::new().with_value(Stranger);

        assert_eq!(recorded(0.0, &parent(&stranger, YES)), [false, false]);
        assert_eq!(recorded(1.0, &parent(&stranger, YES)), [true, true]);
        assert_eq!(recorded(1.0, &parent(&stranger, NO)), [false, false]);
        assert_eq!(recorded(1.0, &stranger), [true, true]);
        assert_eq!(recorded(0.0, &stranger), [false, false]);
    }

    #[test]
    fn a_workflow_follows_whoever_started_it() {
        let temporal = Context::new();

        assert_eq!(recorded(0.0, &parent(&temporal, YES)), [true, true]);
        assert_eq!(recorded(1.0, &parent(&temporal, NO)), [false, false]);
    }
}
