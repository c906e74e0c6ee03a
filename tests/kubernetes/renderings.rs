//! What kustomize makes of the overlays and components, once per process.

use std::{
    collections::BTreeSet,
    path::{Component as Part, Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    combinations::{OVERLAYS, ROOTS, fitting, one_of_each, pairs},
    instance,
    object::Object,
    pod::Pod,
    programs::{kustomize, root},
};

/// An overlay with components, as it would be applied.
#[derive(Debug)]
pub(crate) struct Rendering {
    pub(crate) overlay: String,
    pub(crate) components: Vec<String>,
    pub(crate) text: String,
    pub(crate) objects: Vec<Object>,
}

impl Rendering {
    /// Renders `overlay` with `components`, by their names.
    ///
    /// # Errors
    ///
    /// What kustomize says, if it refuses.
    pub(crate) fn of(overlay: &str, components: &[&str]) -> anyhow::Result<Self> {
        Self::with_settings(overlay, components, &[])
    }

    /// Renders `overlay` with `components` and more settings, each `NAME=VALUE`.
    ///
    /// # Errors
    ///
    /// What kustomize says, if it refuses.
    pub(crate) fn with_settings(
        overlay: &str,
        components: &[&str],
        settings: &[&str],
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let place = folder.path().canonicalize()?;
        let k8s = relative(&place, &root().join("k8s").canonicalize()?);
        instance::write(&place, &k8s, overlay, components, settings)?;
        let text = kustomize(&place);
        let text = text.with_context(|| format!("{overlay} with {components:?}"))?;
        Ok(Self {
            overlay: overlay.to_owned(),
            components: components.iter().map(|&it| it.to_owned()).collect(),
            objects: objects(&text)?,
            text,
        })
    }

    /// Renders an overlay as it is, with its placeholders.
    ///
    /// # Errors
    ///
    /// As for [`of`](Self::of).
    pub(crate) fn bare(overlay: &str) -> anyhow::Result<Self> {
        Self::of_folder(overlay, &format!("k8s/overlays/{overlay}"))
    }

    fn of_folder(name: &str, folder: &str) -> anyhow::Result<Self> {
        let text = kustomize(&root().join(folder))?;
        Ok(Self {
            overlay: name.to_owned(),
            components: Vec::new(),
            objects: objects(&text)?,
            text,
        })
    }

    /// Returns overlay and components as one text.
    pub(crate) fn name(&self) -> String {
        let mut name = self.overlay.clone();
        for component in &self.components {
            name.push('+');
            name.push_str(component);
        }
        name
    }

    /// Whether our pods are in it; other roots prepare what is around them.
    pub(crate) fn is_overlay(&self) -> bool {
        OVERLAYS.contains(&self.overlay.as_str())
    }

    pub(crate) fn has(&self, component: &str) -> bool {
        self.components.iter().any(|it| it == component)
    }

    pub(crate) fn pods(&self) -> impl Iterator<Item = Pod<'_>> {
        self.objects.iter().filter_map(Object::pod)
    }

    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |it| it.kind() == kind)
    }

    /// Returns the object of a kind and name.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(crate) fn find(&self, kind: &str, name: &str) -> &Object {
        let mut found = self.of_kind(kind).filter(|it| it.name() == name);
        found
            .next()
            .unwrap_or_else(|| panic!("{} has no {kind} {name}", self.name()))
    }
}

/// Returns all renderings: roots, overlays alone, with each component, with the pairs of components that touch the same
/// object, and with one component of each purpose.
pub(crate) fn all() -> &'static [Rendering] {
    static ALL: LazyLock<Vec<Rendering>> = LazyLock::new(|| {
        let mut all: Vec<_> = ROOTS
            .iter()
            .map(|root| {
                let rendering = Rendering::of_folder(root, &format!("k8s/{root}"));
                rendering.expect("it renders")
            })
            .collect();
        all.extend(in_parallel(&singles()));
        all.extend(in_parallel(&combined(&all)));
        all
    });
    &ALL
}

/// Returns the rendering of an overlay with exactly these components.
pub(crate) fn with(overlay: &str, components: &[&str]) -> &'static Rendering {
    let mut found = all()
        .iter()
        .filter(|it| it.overlay == overlay && it.components == components);
    found.next().expect("it is among the renderings")
}

/// Returns all renderings of overlays, which have our pods.
pub(crate) fn of_overlays() -> impl Iterator<Item = &'static Rendering> {
    all().iter().filter(|it| it.is_overlay())
}

type Combination = (&'static str, Vec<&'static str>);

fn singles() -> Vec<Combination> {
    let of_overlay = |overlay| {
        let alone = [(overlay, Vec::new())];
        let with_one = fitting(overlay).map(move |it| (overlay, vec![it.name]));
        alone.into_iter().chain(with_one)
    };
    OVERLAYS.iter().copied().flat_map(of_overlay).collect()
}

/// The pairs are those whose changes meet in an object; others cannot disturb each other.
fn combined(singles: &[Rendering]) -> Vec<Combination> {
    let touched = |overlay: &str, component: &str| {
        let alone = find(singles, overlay, &[]);
        touches(alone, find(singles, overlay, &[component]))
    };
    let mut combined = BTreeSet::new();
    for overlay in OVERLAYS {
        for [one, other] in pairs(overlay) {
            if !touched(overlay, one.name).is_disjoint(&touched(overlay, other.name)) {
                combined.insert((overlay, vec![one.name, other.name]));
            }
        }
        combined.extend(one_of_each(overlay).into_iter().map(|it| (overlay, it)));
    }
    let is_new = |(_, components): &Combination| components.len() > 1;
    combined.into_iter().filter(is_new).collect()
}

fn find<'a>(all: &'a [Rendering], overlay: &str, components: &[&str]) -> &'a Rendering {
    let mut found = all
        .iter()
        .filter(|it| it.overlay == overlay && it.components == components);
    found
        .next()
        .expect("every component is rendered alone first")
}

/// The objects that differ, added and removed ones too, by kind and name without the hash of its content.
fn touches(before: &Rendering, after: &Rendering) -> BTreeSet<(String, String)> {
    let missing_in = |these: &Rendering, those: &Rendering| -> Vec<(String, String)> {
        let new = these
            .objects
            .iter()
            .filter(|it| !those.objects.contains(it));
        new.map(|it| (it.kind().to_owned(), it.name().to_owned()))
            .collect()
    };
    let mut touched: BTreeSet<_> = missing_in(before, after).into_iter().collect();
    touched.extend(missing_in(after, before));
    touched
}

/// Renders on all processors, since kubectl takes a tenth of a second each time.
fn in_parallel(combinations: &[Combination]) -> Vec<Rendering> {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let mut rendered = Vec::new();
        while let Some((overlay, components)) =
            combinations.get(next.fetch_add(1, Ordering::Relaxed))
        {
            rendered.push(Rendering::of(overlay, components).expect("it renders"));
        }
        rendered
    };
    let mut all: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let ended = running
            .into_iter()
            .flat_map(|it| it.join().expect("it renders"));
        ended.collect()
    });
    all.sort_by_key(Rendering::name);
    all
}

/// Returns the objects of a text with several YAML documents.
///
/// # Errors
///
/// If it is no YAML.
pub(crate) fn objects(text: &str) -> anyhow::Result<Vec<Object>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text)?;
    Ok(documents.into_iter().map(Object::new).collect())
}

/// Returns the way from a folder to another; kustomize takes no absolute paths.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.components().skip(shared).map(|_| Part::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}
