//! docs/costs.md: quantities are those of the code, products and sums are right, every price has a date and a source.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::directory::{Directory, attributes, content, label};

/// Hours in a month, as Azure's price lists have it.
const HOURS: f64 = 730.0;

/// A row with a price.
struct Row {
    name: String,
    price: f64,
    quantity: f64,
    month: f64,
    source: String,
}

#[test]
fn each_month_is_price_times_quantity() -> anyhow::Result<()> {
    for row in rows()? {
        let month = row.price * row.quantity;
        ensure!(
            same(month, row.month),
            "{}: {month:.2}, not {:.2}",
            row.name,
            row.month
        );
    }
    Ok(())
}

#[test]
fn the_total_is_the_sum() -> anyhow::Result<()> {
    let page = content("docs/costs.md")?;
    let total = page
        .lines()
        .find_map(|it| it.strip_prefix("| **Sum of the above**"));
    let total = total.context("no total")?;
    let total = number(total.trim_matches(['|', ' ', '*']))?;

    let sum: f64 = rows()?.iter().map(|it| it.month).sum();
    ensure!(same(sum, total), "{sum:.2}, not {total:.2}");
    Ok(())
}

#[test]
fn quantities_are_those_of_the_code() -> anyhow::Result<()> {
    let rows: BTreeMap<_, _> = rows()?
        .into_iter()
        .map(|it| (it.name, it.quantity))
        .collect();
    let variables = defaults()?;

    for (pool, row) in [
        ("system_nodes", "System nodes"),
        ("worker_nodes", "Worker nodes"),
    ] {
        let quantity = least(&variables[pool])? * HOURS;
        ensure!(same(rows[row], quantity), "{row}: {quantity}");
    }
    for (size, price) in [
        ("system_node_size", "Standard_D2s_v5"),
        ("worker_node_size", "Standard_D2s_v5"),
    ] {
        assert_eq!(
            variables[size].trim_matches('"'),
            price,
            "the price is another one's"
        );
    }
    assert_eq!(variables["cluster_sku_tier"], "\"Standard\"");
    assert_eq!(variables["registry_sku"], "\"Standard\"");
    ensure!(
        same(rows["Private DNS zone"], zones()?),
        "{} zones",
        zones()?
    );
    for hourly in [
        "Control plane",
        "Load balancer",
        "Private endpoint of the vault",
    ] {
        ensure!(same(rows[hourly], HOURS), "{hourly}");
    }
    ensure!(same(rows["Key Vault"], reads()?), "{} reads", reads()?);
    Ok(())
}

#[test]
fn every_price_has_a_source_with_a_date() -> anyhow::Result<()> {
    let page = content("docs/costs.md")?;
    for row in rows()? {
        let note = format!("\n[{}]: ", row.source);
        let note = page
            .split(&note)
            .nth(1)
            .with_context(|| format!("{}: {}", row.name, row.source))?;
        let note = note.lines().next().unwrap_or_default();
        let years = 2020..=2099;
        ensure!(note.starts_with("https://"), "{}: {note}", row.source);
        ensure!(
            years.into_iter().any(|it| note.contains(&it.to_string())),
            "{}: no date",
            row.source
        );
    }
    Ok(())
}

#[test]
fn what_has_no_price_says_so() -> anyhow::Result<()> {
    let page = content("docs/costs.md")?;
    let section = page
        .split("\n## No price here\n")
        .nth(1)
        .context("no section")?;
    for thing in [
        "PostgreSQL",
        "Prometheus",
        "Log Analytics",
        "disk",
        "traffic",
        "Temporal Cloud",
        "Durable Task",
    ] {
        ensure!(
            section.contains(thing),
            "{thing} is neither priced nor named"
        );
    }
    Ok(())
}

/// The rows with a price, from the first table.
fn rows() -> anyhow::Result<Vec<Row>> {
    let page = content("docs/costs.md")?;
    let rows = page
        .lines()
        .filter(|it| it.starts_with("| ") && it.contains(" | $"));
    rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, price, quantity, _unit, month, source] = cells[..] else {
            anyhow::bail!("{line}");
        };
        Ok(Row {
            name: name.to_owned(),
            price: number(price)?,
            quantity: number(quantity)?,
            month: number(month)?,
            source: source.trim_matches(['[', ']']).to_owned(),
        })
    })
    .collect()
}

fn number(cell: &str) -> anyhow::Result<f64> {
    let digits: String = cell.chars().filter(|it| !matches!(it, '$' | ',')).collect();
    digits
        .parse()
        .with_context(|| format!("{cell} is no number"))
}

/// To the cent.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.005
}

fn defaults() -> anyhow::Result<BTreeMap<String, String>> {
    let root = Directory::read("")?;
    let all = root.blocks("variable").filter_map(|it| {
        let default = attributes(&it.body).remove("default")?;
        Some((label(it, 0), default))
    });
    Ok(all.collect())
}

/// `2` of `{ min = 2, max = 3 }`.
fn least(object: &str) -> anyhow::Result<f64> {
    let least = object
        .split("min =")
        .nth(1)
        .and_then(|it| it.split([',', '}']).next());
    number(least.context("no min")?.trim())
}

/// Zones of a self-hosted environment, which has the most but for one with large payloads.
fn zones() -> anyhow::Result<f64> {
    let all = Directory::environment()?;
    let usual = all.iter().filter(|it| it.name != "modules/storage");
    let zones = usual.flat_map(|it| it.resources());
    let count = zones
        .filter(|it| it.starts_with("azurerm_private_dns_zone."))
        .count();
    Ok(u32::try_from(count)?.into())
}

/// Each pod lists the versions of its secret every `SEALANE_KEY_REFRESH`.
fn reads() -> anyhow::Result<f64> {
    let config = content("k8s/base/config.env")?;
    let minutes = config
        .lines()
        .find_map(|it| it.strip_prefix("SEALANE_KEY_REFRESH="));
    let minutes = number(minutes.context("no refresh")?.trim_end_matches('m'))?;
    let mut pods = 0.0;
    for name in ["api", "codec-server", "trigger", "worker"] {
        let manifests = content(&format!("k8s/base/{name}.yaml"))?;
        // The Deployment is the first of them.
        let deployment = manifests.split("\n---").next().unwrap_or_default();
        let manifest: Value = serde_saphyr::from_str(deployment)?;
        pods += manifest["spec"]["replicas"]
            .as_f64()
            .context("no replicas")?;
    }
    Ok(pods * HOURS * 60.0 / minutes / 10_000.0)
}
