//! What the gateway did, sorted by order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sealane_dev::gateway::{Effect, Operation, Request};
use serde_json::Value;

/// Everything that happened at the gateway.
#[derive(Default)]
pub(crate) struct Book {
    /// What happened for each order, and to which of its things.
    effects: BTreeMap<String, Vec<(Operation, String)>>,
    /// What was asked for, by what is to be done to which thing.
    bodies: HashMap<(Operation, String), String>,
    /// How many requests came again.
    repeated: usize,
    objections: Vec<String>,
}

impl Book {
    /// Sorts what the gateway has seen. Objects to whatever happened twice, or for nobody.
    pub(crate) fn read(requests: &[Request], effects: &[Effect]) -> Self {
        let mut book = Self::default();
        book.check_keys(requests, effects);
        book.check_things(requests);
        let owners = owners(requests);
        let mut happened = BTreeSet::new();
        for effect in effects {
            let what = (effect.operation, effect.id.clone());
            if !happened.insert(format!("{what:?}")) {
                book.object(&format!("{what:?} happened twice"));
            }
            match owners.get(&effect.id) {
                Some(order) => book.effects.entry(order.clone()).or_default().push(what),
                None => book.object(&format!("{what:?} happened for nobody")),
            }
        }
        book
    }

    /// Returns how many requests were sent again, which says how much the gateway's book proves.
    pub(crate) fn repeated(&self) -> usize {
        self.repeated
    }

    /// Returns what nobody would have wanted.
    pub(crate) fn objections(&self) -> &[String] {
        &self.objections
    }

    /// Returns the id of the thing that was made for `order` by `operation`. None unless there is exactly one.
    pub(crate) fn made(&self, order: &str, operation: Operation) -> Option<&str> {
        match self.ids(order, operation)[..] {
            [id] => Some(id),
            _ => None,
        }
    }

    /// Returns the request by which that thing was made, as it was sent.
    pub(crate) fn body(&self, order: &str, operation: Operation) -> Option<&str> {
        let thing = (operation, self.made(order, operation)?.to_owned());
        self.bodies.get(&thing).map(String::as_str)
    }

    /// Returns how often `operation` happened for `order`.
    pub(crate) fn times(&self, order: &str, operation: Operation) -> usize {
        self.ids(order, operation).len()
    }

    /// Returns how many parcels were packed for `order`.
    pub(crate) fn packed(&self, order: &str) -> usize {
        let packed = |it: &&(Operation, String)| matches!(it.0, Operation::Pack(_));
        self.of(order).iter().filter(packed).count()
    }

    /// Returns the orders for which anything happened.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &str> {
        self.effects.keys().map(String::as_str)
    }

    fn ids(&self, order: &str, operation: Operation) -> Vec<&str> {
        let of = self.of(order).iter().filter(|it| it.0 == operation);
        of.map(|it| it.1.as_str()).collect()
    }

    fn of(&self, order: &str) -> &[(Operation, String)] {
        self.effects.get(order).map_or(&[], Vec::as_slice)
    }

    /// One key is for one request, and takes effect once.
    fn check_keys(&mut self, requests: &[Request], effects: &[Effect]) {
        let mut asked = BTreeMap::new();
        for request in requests {
            let Request { operation, key, .. } = request;
            if key.is_empty() {
                self.object(&format!("{operation:?} was asked for without a key"));
            } else if *asked.entry(key).or_insert(request) != request {
                self.object(&format!("{key} was sent with two different requests"));
            }
        }
        self.repeated = requests.len() - asked.len();
        let mut used = BTreeSet::new();
        for Effect { operation, key, .. } in effects {
            if !used.insert(key) {
                self.object(&format!(
                    "{key} took effect twice, the second time as {operation:?}"
                ));
            }
        }
    }

    /// One request is under one key: whoever draws a key for each attempt is safe only with a gateway that looks at more
    /// than keys, as this one does.
    fn check_things(&mut self, requests: &[Request]) {
        let mut keys = HashMap::new();
        for request in requests {
            let Request { operation, id, .. } = request;
            let thing = (*operation, id.clone());
            if *keys.entry(thing.clone()).or_insert(&request.key) != &request.key {
                self.object(&format!("{operation:?} of {id} was sent with two keys"));
            }
            self.bodies
                .entry(thing)
                .or_insert_with(|| request.body.clone());
        }
    }

    fn object(&mut self, to: &str) {
        self.objections.push(format!("gateway: {to}"));
    }
}

/// Returns which order each thing is for, as the requests that made it said.
fn owners(requests: &[Request]) -> BTreeMap<String, String> {
    let owner = |request: &Request| {
        let body: Value = serde_json::from_str(&request.body).ok()?;
        let [id, order] = ["id", "order_id"].map(|name| Some(body.get(name)?.as_str()?.to_owned()));
        Some((id?, order?))
    };
    requests.iter().filter_map(owner).collect()
}

#[cfg(test)]
mod tests {
    use sealane_dev::gateway::{Effect, Operation, Request};
    use serde_json::json;

    use super::Book;

    fn request(operation: Operation, key: &str, id: &str) -> Request {
        Request {
            operation,
            id: id.to_owned(),
            key: key.to_owned(),
            body: json!({"id": id, "order_id": "A-1"}).to_string(),
        }
    }

    fn effect(operation: Operation, key: &str, id: &str) -> Effect {
        Effect {
            operation,
            key: key.to_owned(),
            id: id.to_owned(),
        }
    }

    fn objection(requests: &[Request], effects: &[Effect]) -> String {
        Book::read(requests, effects).objections().join("\n")
    }

    #[test]
    fn a_request_that_was_repeated_is_fine() {
        let asked = request(Operation::Charge, "k", "c");
        let book = Book::read(
            &[asked.clone(), asked.clone()],
            &[effect(Operation::Charge, "k", "c")],
        );
        assert_eq!(book.objections(), [""; 0]);
        assert_eq!(book.made("A-1", Operation::Charge), Some("c"));
        assert_eq!(book.body("A-1", Operation::Charge), Some(&*asked.body));
        assert_eq!(book.repeated(), 1);
    }

    #[test]
    fn a_gateway_that_forgets_its_keys_is_seen() {
        let asked = request(Operation::Charge, "k", "c");
        let done = effect(Operation::Charge, "k", "c");
        let objection = objection(&[asked.clone(), asked], &[done.clone(), done]);
        assert!(objection.contains("k took effect twice"), "{objection}");
    }

    #[test]
    fn a_second_charge_under_a_key_of_its_own_is_seen() {
        let asked = ["k1", "k2"].map(|key| request(Operation::Charge, key, "c"));
        let done = ["k1", "k2"].map(|key| effect(Operation::Charge, key, "c"));
        let objection = objection(&asked, &done);
        assert!(objection.contains("happened twice"), "{objection}");
    }

    #[test]
    fn a_key_for_each_attempt_is_seen_though_the_gateway_charged_once() {
        for operation in [Operation::Charge, Operation::Refund, Operation::Pack(0)] {
            let asked = ["k1", "k2"].map(|key| request(operation, key, "c"));
            let objection = objection(&asked, &[effect(operation, "k1", "c")]);
            assert!(objection.contains("sent with two keys"), "{objection}");
        }
    }

    #[test]
    fn things_that_differ_have_keys_of_their_own() {
        let asked = [
            request(Operation::Pack(0), "k1", "s1"),
            request(Operation::Pack(1), "k2", "s1"),
            request(Operation::Pack(0), "k3", "s2"),
        ];
        assert_eq!(objection(&asked, &[]), "");
    }

    #[test]
    fn one_key_for_two_requests_is_seen() {
        let asked = ["c1", "c2"].map(|id| request(Operation::Charge, "k", id));
        assert!(objection(&asked, &[]).contains("two different requests"));
    }

    #[test]
    fn what_happened_without_a_key_or_for_nobody_is_seen() {
        assert!(objection(&[request(Operation::Charge, "", "c")], &[]).contains("without a key"));
        assert!(objection(&[], &[effect(Operation::Charge, "k", "c")]).contains("for nobody"));
    }
}
