//! What the gateway did, sorted by order.

use std::collections::{BTreeMap, BTreeSet};

use sealane_dev::gateway::{Effect, Operation, Request};
use serde_json::Value;

/// Everything that happened at the gateway.
#[derive(Default)]
pub(crate) struct Book {
    /// What happened for each order, and to which of its things.
    effects: BTreeMap<String, Vec<(Operation, String)>>,
    /// How many requests came again.
    repeated: usize,
    objections: Vec<String>,
}

impl Book {
    /// Sorts what the gateway has seen. Objects to whatever happened twice, or for nobody.
    pub(crate) fn read(requests: &[Request], effects: &[Effect]) -> Self {
        let mut book = Self::default();
        book.check_keys(requests, effects);
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
        for Request {
            operation,
            key,
            body,
        } in requests
        {
            let this = (operation, body);
            if key.is_empty() {
                self.object(&format!("{operation:?} was asked for without a key"));
            } else if *asked.entry(key).or_insert(this) != this {
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
            &[asked.clone(), asked],
            &[effect(Operation::Charge, "k", "c")],
        );
        assert_eq!(book.objections(), [""; 0]);
        assert_eq!(book.made("A-1", Operation::Charge), Some("c"));
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
