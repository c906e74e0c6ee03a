//! Where images come from.

use crate::{
    rule::{Check, Rule},
    yaml::Yaml,
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "image-latest",
        "an image has the tag latest, or none, so nobody knows what runs",
        "name a version and a digest in `images:` of the overlay's kustomization",
        Check::Containers(|it, _| {
            let image = it.image();
            let is_latest = !image.contains('@') && matches!(tag(image), None | Some("latest"));
            (is_latest || tag(image) == Some("latest"))
                .then(|| format!("the image {image:?} is whatever is newest"))
        }),
    ),
    Rule::new(
        "image-not-pinned",
        "an image is named by a tag, behind which it can be replaced",
        "pin it: `kustomize edit set image sealane=REGISTRY/sealane@sha256:…`, as `deploy` does",
        Check::Containers(|it, _| {
            let is_pinned = it
                .image()
                .rsplit_once("@sha256:")
                .is_some_and(|(_, digest)| is_digest(digest));
            // Built and loaded by hand on one machine, never pulled.
            let is_local = it.image().starts_with("localhost/");
            (!is_pinned && !is_local).then(|| format!("the image {:?} has no digest", it.image()))
        }),
    ),
    Rule::new(
        "image-pull-secret",
        "pods or a service account carry a password for the registry",
        "remove imagePullSecrets; the identity of the nodes has the role AcrPull",
        Check::Objects(|object, _| {
            let of_pods = crate::workload::Workload::of(object)
                .is_some_and(|it| it.pod().has("/imagePullSecrets"));
            let own = object.kind() == "ServiceAccount" && object.value().has("/imagePullSecrets");
            (of_pods || own).then(|| "imagePullSecrets is set".to_owned())
        }),
    ),
];

/// Returns the tag of an image; a colon before a slash is that of a port.
fn tag(image: &str) -> Option<&str> {
    let name = image.split('@').next()?.rsplit('/').next()?;
    name.split_once(':').map(|(_, tag)| tag)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn the_port_of_a_registry_is_no_tag() {
        assert_eq!(tag("localhost:5000/sealane"), None);
        assert_eq!(tag("localhost:5000/sealane:1.2@sha256:0"), Some("1.2"));
    }
}
