//! What a container finds at a path.

use std::path::Path;

use serde_json::Value;

use crate::{object::Object, scene::Scene, workload::Container, yaml::Yaml};

/// A volume, and the place in it that a path leads to.
#[derive(Clone, Debug)]
pub(crate) struct Mount<'a> {
    container: Container<'a>,
    volume: &'a Value,
    /// Empty for the volume as a whole.
    place: String,
}

impl<'a> Mount<'a> {
    /// Returns what is mounted at `path` or above it; of several, the one that hides the others.
    pub(crate) fn at(container: Container<'a>, path: &str) -> Option<Self> {
        let mounts = container.value.list("/volumeMounts").iter();
        let leading = mounts.filter_map(|it| {
            let rest = Path::new(path).strip_prefix(it.text("/mountPath")?).ok()?;
            Some((
                it,
                Path::new(it.text("/subPath").unwrap_or_default()).join(rest),
            ))
        });
        let (mount, place) = leading.max_by_key(|(it, _)| {
            it.text("/mountPath")
                .map(|it| it.trim_end_matches('/').len())
        })?;
        let mut volumes = container.workload.pod().list("/volumes").iter();
        Some(Self {
            container,
            volume: volumes.find(|it| it.text("/name") == mount.text("/name"))?,
            place: place.to_string_lossy().trim_end_matches('/').to_owned(),
        })
    }

    /// Returns the name of the `ConfigMap` that holds what is there, if one does.
    pub(crate) fn config_map(&self, scene: &Scene<'a>) -> Option<&'a str> {
        let own = self.volume.text("/configMap/name");
        own.or_else(|| {
            let sources = self.volume.list("/projected/sources").iter();
            let mut maps = sources.map(|it| it.at("/configMap"));
            let source = maps.find(|it| !it.is_null() && self.is_from(it, scene))?;
            source.text("/name")
        })
    }

    /// Returns the `ConfigMap` that holds the file that is there, and the file, as far as they are rendered.
    pub(crate) fn file(&self, scene: &Scene<'a>) -> Option<(&'a Object, &'a str)> {
        let projected = self.volume.list("/projected/sources").iter();
        let mut sources = std::iter::once(self.volume).chain(projected);
        sources.find_map(|it| {
            let source = it.at("/configMap");
            let map = self.rendered(source, scene)?;
            Some((map, map.value().entry("/data", self.key(source)?)?))
        })
    }

    /// Returns the objects of Key Vault that the CSI driver puts there, as URLs.
    pub(crate) fn vault_objects(&self, scene: &Scene<'a>) -> Vec<String> {
        let class = self
            .volume
            .text("/csi/volumeAttributes/secretProviderClass");
        let namespace = self.container.workload.namespace();
        let class = class.and_then(|name| scene.find("SecretProviderClass", namespace, name));
        let parameters = class.map_or(&Value::Null, |it| it.value().at("/spec/parameters"));
        let vault = parameters.text("/keyvaultName").unwrap_or_default();
        let objects = yaml(parameters.text("/objects"));
        let objects = objects.list("/array").iter().map(|it| yaml(it.as_str()));
        let meant = objects.filter_map(|it| {
            let name = it.text("/objectName")?;
            let file = it.text("/objectAlias").unwrap_or(name);
            let is_meant = self.place.is_empty() || self.place == file;
            is_meant.then(|| format!("https://{vault}.vault.azure.net/secrets/{name}"))
        });
        meant.collect()
    }

    fn rendered(&self, source: &Value, scene: &Scene<'a>) -> Option<&'a Object> {
        let namespace = self.container.workload.namespace();
        scene.find("ConfigMap", namespace, source.text("/name")?)
    }

    fn is_from(&self, source: &Value, scene: &Scene<'a>) -> bool {
        let map = self.rendered(source, scene);
        // Without items every key is a file, and which those are says the map alone.
        let has = |key| source.has("/items") || map.is_some_and(|it| holds(it, key));
        self.place.is_empty() || self.key(source).is_some_and(has)
    }

    /// Returns the key of a source that becomes the file that is meant.
    fn key<'b>(&'b self, source: &'b Value) -> Option<&'b str> {
        let items = source.list("/items");
        let item = || {
            items
                .iter()
                .find(|it| it.text("/path") == Some(&self.place))
        };
        match items.is_empty() {
            true => Some(&self.place),
            false => item()?.text("/key"),
        }
    }
}

fn holds(map: &Object, key: &str) -> bool {
    let is_in = |path| map.value().at(path).get(key).is_some();
    is_in("/data") || is_in("/binaryData")
}

/// Reads the YAML that the CSI driver wants within YAML; what is none reads as nothing.
fn yaml(text: Option<&str>) -> Value {
    text.and_then(|it| serde_saphyr::from_str(it).ok())
        .unwrap_or_default()
}
