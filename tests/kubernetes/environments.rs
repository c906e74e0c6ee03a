//! The environments that people copy render as they stand, apart from what they have to fill in.

use std::fs;

use crate::{programs::root, renderings::Rendering};

#[test]
fn every_example_renders_with_its_overlay() -> anyhow::Result<()> {
    let mut examples = 0;
    for entry in fs::read_dir(root().join("infra/environments"))? {
        let folder = entry?.path();
        let variables = fs::read_to_string(folder.join("terraform.tfvars"))?;
        let name = folder
            .file_name()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        let overlay = match variables.contains("\"cloud\"") {
            true => "aks-cloud",
            false => "aks",
        };
        assert!(
            variables.contains(&format!("\"{name}\"")),
            "{name} calls itself otherwise"
        );
        if folder.join("kustomization.yaml").is_file() {
            let component = format!("../../infra/environments/{name}");
            let rendering = Rendering::of(overlay, &[&component])?;
            assert_eq!(rendering.pods().count(), 4, "{name}");
        }
        examples += 1;
    }
    assert!(examples >= 2, "{examples} examples are too few");
    Ok(())
}
