//! One id for each version, and one version for each id.

use std::collections::{BTreeMap, btree_map::Entry};

use super::listing::{ID_TAG, Listing};
use crate::{KeyId, rotation::Version};

/// The ids under which this process knows versions.
///
/// A version keeps its first one. Tags can be changed, and `az keyvault secret set-attributes
/// --tags` removes those that it does not name; but payloads carry the id that was there before.
#[derive(Debug, Default)]
pub(super) struct Ids {
    by_version: BTreeMap<String, KeyId>,
    owners: BTreeMap<KeyId, String>,
}

impl Ids {
    /// Leaves each version of `listing` the id it had before, and takes out those whose id another
    /// one has. What is odd about that is added to the oddities.
    ///
    /// If two have the same id, it belongs to the older one for good: a process that has the older
    /// key under this id must not find another one under it some day.
    pub(super) fn settle(&mut self, mut listing: Listing) -> Listing {
        let name = listing.name;
        let versions = &mut listing.versions;
        versions.sort_by(|a, b| (a.created, &a.version).cmp(&(b.created, &b.version)));
        versions.retain_mut(|version| match self.known(version) {
            Some(id) if *id == version.id => true,
            Some(id) => {
                listing.oddities.push(changed(&name, version, id));
                version.id = id.clone();
                true
            }
            None => match self.own(version) {
                Ok(()) => true,
                Err(owner) => {
                    listing.oddities.push(taken(&name, version, owner));
                    false
                }
            },
        });
        Listing { name, ..listing }
    }

    fn known(&self, version: &Version) -> Option<&KeyId> {
        self.by_version.get(&version.version)
    }

    /// Takes the id of `version` for its own, unless another version owns it.
    fn own(&mut self, version: &Version) -> Result<(), &str> {
        match self.owners.entry(version.id.clone()) {
            Entry::Occupied(owner) => Err(owner.into_mut()),
            Entry::Vacant(place) => {
                place.insert(version.version.clone());
                let (version, id) = (version.version.clone(), version.id.clone());
                self.by_version.insert(version, id);
                Ok(())
            }
        }
    }
}

fn changed(name: &str, version: &Version, id: &KeyId) -> String {
    let (now, before) = (version.id.as_str(), id.as_str());
    format!(
        "the key id of version {} of secret {name} has changed from {before:?} to {now:?}, which \
         this process ignores: set its tag {ID_TAG} to {before:?} again, or processes that start \
         later cannot read what it encrypted",
        version.version
    )
}

fn taken(name: &str, version: &Version, owner: &str) -> String {
    format!(
        "version {} of secret {name} is not used, because the older version {owner} has the same \
         key id {:?}: make a version with another tag {ID_TAG}",
        version.version,
        version.id.as_str()
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Ids, Listing, Version};

    /// Versions as they are listed, oldest first, and their ids.
    fn listing(versions: &[(&str, &str)]) -> Listing {
        let versions = (1..).zip(versions).map(|(created, (version, id))| Version {
            version: (*version).to_owned(),
            id: id.parse().unwrap(),
            created: SystemTime::UNIX_EPOCH + Duration::from_secs(created),
            updated: SystemTime::UNIX_EPOCH,
            not_before: None,
            expires: None,
            enabled: true,
        });
        Listing {
            name: "k".to_owned(),
            versions: versions.collect(),
            oddities: Vec::new(),
        }
    }

    fn settled(ids: &mut Ids, versions: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let Listing {
            versions, oddities, ..
        } = ids.settle(listing(versions));
        let ids = versions.iter().map(|version| version.id.to_string());
        (ids.collect(), oddities)
    }

    #[test]
    fn an_id_belongs_to_the_oldest_version_that_has_it() {
        let mut reversed = listing(&[("a", "x"), ("b", "x")]);
        reversed.versions.reverse();

        let listing = Ids::default().settle(reversed);

        assert_eq!(listing.versions.len(), 1);
        assert_eq!(listing.versions[0].version, "a");
        assert!(listing.oddities[0].starts_with("version b of secret k is not used"));
    }

    #[test]
    fn a_version_keeps_the_id_under_which_it_was_met() {
        let mut ids = Ids::default();
        let first = settled(&mut ids, &[("a", "k/a"), ("b", "payloads")]);
        assert_eq!(first, (vec!["k/a".into(), "payloads".into()], vec![]));

        let (kept, oddities) = settled(&mut ids, &[("a", "k/a"), ("b", "k/b"), ("c", "k/c")]);

        assert_eq!(kept, ["k/a", "payloads", "k/c"]);
        assert_eq!(oddities.len(), 1, "{oddities:?}");
        assert!(oddities[0].contains(r#"from "payloads" to "k/b""#));
    }

    #[test]
    fn an_id_that_a_tag_gave_away_is_not_free() {
        let mut ids = Ids::default();
        settled(&mut ids, &[("a", "x"), ("b", "y")]);

        for versions in [
            // To a new version, to an old one, and to one that is older than its owner.
            [("a", "k/a"), ("b", "y"), ("c", "x")],
            [("a", "x"), ("b", "x"), ("c", "x")],
            [("c", "y"), ("a", "x"), ("b", "y")],
        ] {
            let (kept, oddities) = settled(&mut ids, &versions);

            assert_eq!(kept, ["x", "y"], "{versions:?}");
            assert!(!oddities.is_empty());
        }
    }
}
