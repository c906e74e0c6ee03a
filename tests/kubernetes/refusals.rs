//! Combinations that make no sense are refused before the cluster sees them.

use std::{collections::BTreeSet, fs};

use crate::{
    combinations::{BUILDING_BLOCKS, COMPONENTS, OVERLAYS, Purpose, ROOTS, fitting},
    programs::root,
    renderings::{self, Rendering},
};

/// Two owners of the number of workers fight without end, and neither says so.
#[test]
fn kustomize_refuses_two_owners_of_the_workers() {
    for overlay in ["aks", "aks-cloud"] {
        let owners: Vec<_> = fitting(overlay)
            .filter(|it| it.purpose == Purpose::Workers)
            .map(|it| it.name)
            .collect();
        assert!(owners.len() > 3, "{owners:?}");
        for one in &owners {
            for other in owners.iter().filter(|it| *it != one) {
                let refused = Rendering::of(overlay, &[one, other]);
                assert!(refused.is_err(), "{overlay} takes {one} and {other}");
            }
        }
    }
}

#[test]
fn every_overlay_and_component_is_rendered() -> anyhow::Result<()> {
    let k8s = root().join("k8s");
    let folders = |place: &str| -> anyhow::Result<BTreeSet<String>> {
        let entries = fs::read_dir(k8s.join(place))?;
        let paths = entries
            .map(|it| Ok(it?.path()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let folders = paths.iter().filter(|it| it.is_dir());
        Ok(folders
            .filter_map(|it| Some(it.file_name()?.to_str()?.to_owned()))
            .collect())
    };

    let mut known: BTreeSet<String> = COMPONENTS.iter().map(|it| it.name.to_owned()).collect();
    known.extend(BUILDING_BLOCKS.map(str::to_owned));
    assert_eq!(folders("components")?, known);
    assert_eq!(
        folders("overlays")?,
        BTreeSet::from(OVERLAYS.map(str::to_owned))
    );
    let mut roots = BTreeSet::from(ROOTS.map(str::to_owned));
    roots.extend(["base", "components", "overlays"].map(str::to_owned));
    assert_eq!(folders("")?, roots);
    for component in &COMPONENTS {
        let rendered = renderings::all()
            .iter()
            .any(|it| it.components == [component.name]);
        assert!(rendered, "{component:?}");
    }
    Ok(())
}

/// A component that changes nothing is a promise that nobody keeps.
#[test]
fn every_component_changes_every_overlay_that_it_fits() {
    for overlay in OVERLAYS {
        let alone = &renderings::with(overlay, &[]).text;
        for component in fitting(overlay) {
            let changed = &renderings::with(overlay, &[component.name]).text;
            assert_ne!(changed, alone, "{overlay} with {component:?}");
        }
    }
}
