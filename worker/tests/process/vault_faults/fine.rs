//! What looks odd and is no fault.

use std::time::Duration;

use sealane_tests::azure::{Endpoint, FakeAzure, SECRET};

use super::{life::Life, pod::KEY, running::NOT_REFRESHED};

/// Keys of every length, with white space in every place.
const VALUES: [&str; 5] = [
    "FCegrrP+6SMvivIhH57kkQ==",
    "  xbEL7LVWO/web5NCfsvI/ilV5c2ORtyO\r\n",
    "\n\t1LfCdk0qWk12dwb4XYaQAkrWvaNAG+nIy8zJNfbNH2E=\n",
    "ImrhUziuGjQATTO6DSRqwA==\n",
    KEY,
];

#[tokio::test]
async fn pages_lengths_white_space_and_short_lived_tokens_go_unnoticed() -> anyhow::Result<()> {
    let mut life = Life::begin(&[]).await?;
    let azure = &life.pod.azure;
    azure.set_page_size(1);
    azure.set_token_lifetime(Duration::from_secs(1));
    azure.revoke_tokens();
    for value in VALUES {
        azure.add_version(SECRET, value);
    }

    looked_twice(azure, 1 + VALUES.len()).await;
    let exchanges = azure.count(Endpoint::Token);
    let renewed = azure.write_token(&azure.token_file());
    looked_twice(azure, 1 + VALUES.len()).await;
    life.work().await?;

    let scrape = life.scrape().await?;
    assert_eq!(scrape.keys(), 1 + VALUES.len());
    assert_eq!(scrape.failures(), [].into());
    let assertions = life.pod.azure.assertions();
    assert!(assertions.len() > exchanges, "no token was renewed");
    assert_eq!(assertions.last(), Some(&renewed));
    let said = life.worker.lines();
    assert!(!said.iter().any(|line| line.contains(NOT_REFRESHED)));
    life.end().await
}

#[tokio::test]
async fn an_older_version_that_is_no_key_is_named_once_and_left_out() -> anyhow::Result<()> {
    let mut life = Life::begin(&[]).await?;
    let azure = &life.pod.azure;
    let versions = [
        "correct horse battery staple",
        "NGC+MSAeaf7aoO7ouZl/XHwpmf2v5ZMlPNZUr0361w==",
        &KEY[..20],
    ]
    .map(|value| azure.add_version(SECRET, value));

    looked_twice(azure, 1).await;
    life.work().await?;

    let scrape = life.scrape().await?;
    assert_eq!(scrape.keys(), 1);
    assert_eq!(scrape.failures(), [].into());
    let said = life.worker.lines();
    for version in versions {
        let about = said.iter().filter(|line| line.contains(&version));
        let about: Vec<_> = about.collect();
        assert_eq!(about.len(), 1, "{about:#?}");
        assert!(about[0].contains("holds no key"), "{about:#?}");
    }
    life.end().await
}

/// Waits for two whole looks at a vault that lists the versions on so many `pages`. A third may be
/// under way before.
async fn looked_twice(azure: &FakeAzure, pages: usize) {
    let before = azure.count(Endpoint::ListVersions);
    let asked = azure.asked(Endpoint::ListVersions, before + 3 * pages);
    asked.await;
}
