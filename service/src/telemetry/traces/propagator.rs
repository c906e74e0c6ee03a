//! Trace context on its way in and out: W3C Trace Context alone, within bounds.

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

const STATE: &str = "tracestate";

/// What has to be passed on at least, and is here at most
/// ([limits](https://www.w3.org/TR/trace-context/#tracestate-limits)).
const MAX_STATE: usize = 512;

/// As many members as a state may have
/// ([list](https://www.w3.org/TR/trace-context/#list)).
const MAX_MEMBERS: usize = 32;

/// Puts trace context into carriers and takes it out.
///
/// The vendors' state is text of somebody else's making, which waits in memory with every span and
/// stays in histories in plaintext. A state that is too long, has too many members or is not
/// printable ASCII is dropped whole, and the trace goes on without.
#[derive(Clone, Debug, Default)]
pub struct Propagator(TraceContextPropagator);

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        self.0.inject_context(context, &mut Out(injector));
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(context, &In(extractor))
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}

struct In<'a>(&'a dyn Extractor);

impl Extractor for In<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).filter(|value| passes(key, value))
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys()
    }
}

struct Out<'a>(&'a mut dyn Injector);

impl Injector for Out<'_> {
    fn set(&mut self, key: &str, value: String) {
        if passes(key, &value) {
            self.0.set(key, value);
        }
    }
}

/// The parent is made of ids, and made anew from them on the way out.
fn passes(key: &str, value: &str) -> bool {
    key != STATE
        || value.len() <= MAX_STATE
            && value.split(',').count() <= MAX_MEMBERS
            && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::{
        Context,
        propagation::TextMapPropagator,
        trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
    };

    use super::Propagator;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// What of `state` comes in behind a valid parent.
    fn taken(state: &str) -> String {
        let carrier = HashMap::from([
            ("traceparent".to_owned(), PARENT.to_owned()),
            ("tracestate".to_owned(), state.to_owned()),
        ]);
        let context = Propagator::default().extract_with_context(&Context::new(), &carrier);
        let span = context.span().span_context().clone();
        assert!(span.is_valid(), "the trace goes on");
        span.trace_state().header()
    }

    fn members(number: usize, value: &str) -> String {
        let members: Vec<_> = (0..number).map(|it| format!("v{it}={value}")).collect();
        members.join(",")
    }

    #[test]
    fn a_state_within_bounds_passes_and_any_other_is_dropped_whole() {
        let longest = format!("a={},b={}", "x".repeat(253), "y".repeat(254));
        assert_eq!(longest.len(), 512);
        for state in [longest.as_str(), "vendor=1", &members(32, "1")] {
            assert_eq!(taken(state), state);
        }
        let too_long = format!("{longest}y");
        for state in [&too_long, &members(33, "1"), "v=a\nb", "v=\u{1b}[2J", "v=é"] {
            assert_eq!(taken(state), "", "{state:?}");
        }
    }

    #[test]
    fn a_state_made_in_this_process_is_bounded_as_well() {
        let sent = |members: usize| {
            let state = (0..members).map(|it| (format!("v{it}"), "x".repeat(100)));
            let span = SpanContext::new(
                TraceId::from(0xabc),
                SpanId::from(0xd),
                TraceFlags::SAMPLED,
                false,
                TraceState::from_key_value(state).unwrap(),
            );
            let mut carrier = HashMap::<String, String>::new();
            let context = Context::new().with_remote_span_context(span);
            Propagator::default().inject_context(&context, &mut carrier);
            carrier
        };

        assert_eq!(sent(4)["tracestate"].len(), 4 * 103 + 3);
        assert!(!sent(5).contains_key("tracestate"));
        assert!(sent(5).contains_key("traceparent"));
    }
}
