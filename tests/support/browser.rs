//! A real browser: Chromium without a window, driven through `WebDriver` (<https://www.w3.org/TR/webdriver2/>).
//!
//! Needs the programs `chromium` and `chromedriver`. It reaches nothing but this machine.

mod driver;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::driver::Driver;

/// Bounds every wait, so that what never comes fails a test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a page is asked whether it has come to what is waited for.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Tall enough for a workflow's page without scrolling.
const WINDOW: &str = "--window-size=1400,1700";

/// What `WebDriver` calls the member that holds an element's id.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page. Dropping it ends it.
pub struct Browser {
    driver: Driver,
    /// `/session/…`
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser with an empty profile.
    ///
    /// # Errors
    ///
    /// If the programs are missing, or do not start.
    pub async fn open() -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let driver = Driver::start().await?;
        let folder = format!("--user-data-dir={}", profile.path().display());
        let started = driver
            .call("POST", "/session", &capabilities(&folder))
            .await?;
        let id = started["sessionId"]
            .as_str()
            .context("the session has no id")?;
        Ok(Self {
            session: format!("/session/{id}"),
            driver,
            _profile: profile,
        })
    }

    /// Opens `url` and waits until it has loaded.
    ///
    /// # Errors
    ///
    /// If nothing answers there.
    pub async fn visit(&self, url: &str) -> anyhow::Result<()> {
        self.post("/url", &json!({ "url": url })).await?;
        Ok(())
    }

    /// Returns the text that a person can read.
    ///
    /// # Errors
    ///
    /// If there is no page.
    pub async fn text(&self) -> anyhow::Result<String> {
        self.evaluate("return document.body.innerText").await
    }

    /// Returns the page as it is now, with everything that scripts have added.
    ///
    /// # Errors
    ///
    /// If there is no page.
    pub async fn html(&self) -> anyhow::Result<String> {
        self.evaluate("return document.documentElement.outerHTML")
            .await
    }

    /// Waits until a person can read all of `texts`.
    ///
    /// # Errors
    ///
    /// If it does not come to that.
    pub async fn shows(&self, texts: &[&str]) -> anyhow::Result<()> {
        let what = format!("a page with {texts:?}");
        self.until(&what, async || {
            let shown = self.text().await?;
            Ok(texts.iter().all(|text| shown.contains(text)).then_some(()))
        })
        .await
    }

    /// Waits for the first element that `xpath` finds and a person can see, and clicks it.
    ///
    /// # Errors
    ///
    /// If there is no such element, or the click goes elsewhere.
    pub async fn click(&self, xpath: &str) -> anyhow::Result<()> {
        let element = self.element(xpath).await?;
        self.post(&format!("{element}/click"), &json!({})).await?;
        Ok(())
    }

    /// Types `text` into the first element that `xpath` finds and a person can see.
    ///
    /// # Errors
    ///
    /// If there is no such element, or nothing can be typed there.
    pub async fn type_into(&self, xpath: &str, text: &str) -> anyhow::Result<()> {
        let element = self.element(xpath).await?;
        self.post(&format!("{element}/value"), &json!({ "text": text }))
            .await?;
        Ok(())
    }

    /// Waits for the first element that `xpath` finds and a person can see and use. Returns its path.
    ///
    /// # Errors
    ///
    /// If there is no such element.
    pub async fn element(&self, xpath: &str) -> anyhow::Result<String> {
        self.until(xpath, async || {
            let query = json!({ "using": "xpath", "value": xpath });
            let found = self.post("/elements", &query).await?;
            for element in found.as_array().into_iter().flatten() {
                let id = element[ELEMENT].as_str().context("not an element")?;
                let path = format!("/element/{id}");
                if self.is(&path, "displayed").await && self.is(&path, "enabled").await {
                    return Ok(Some(path));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Runs the body of a function in the page, and returns what it returns.
    ///
    /// # Errors
    ///
    /// If it throws, or returns something else than a `T`.
    pub async fn evaluate<T: serde::de::DeserializeOwned>(
        &self,
        script: &str,
    ) -> anyhow::Result<T> {
        let call = json!({ "script": script, "args": [] });
        let value = self.post("/execute/sync", &call).await?;
        Ok(serde_json::from_value(value)?)
    }

    /// Returns what the browser has complained about since it was asked last: failed requests, refused scripts, exceptions.
    ///
    /// # Errors
    ///
    /// If the browser does not tell.
    pub async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let log = self.post("/se/log", &json!({ "type": "browser" })).await?;
        let severe = |entry: &&Value| entry["level"] == "SEVERE";
        let entries = log.as_array().into_iter().flatten().filter(severe);
        Ok(entries
            .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
            .collect())
    }

    /// Keeps a picture of the page as `folder/name.png`, and says where.
    ///
    /// # Errors
    ///
    /// If it cannot be taken or written.
    pub async fn photograph(&self, folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
        let picture = self.get("/screenshot").await?;
        let text = picture.as_str().context("not a picture")?;
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{name}.png"));
        fs::write(&path, BASE64_STANDARD.decode(text)?)?;
        eprintln!("screenshot: {}", path.display());
        Ok(path)
    }

    /// Ends the browser in peace, so that nothing of its profile is left.
    ///
    /// # Errors
    ///
    /// If it has ended before.
    pub async fn close(self) -> anyhow::Result<()> {
        self.driver
            .call("DELETE", &self.session, &Value::Null)
            .await?;
        Ok(())
    }

    /// Asks until there is an answer. A page that never gets there fails the test with the text that it shows instead.
    async fn until<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let asking = async {
            loop {
                if let Some(answer) = ask().await? {
                    return anyhow::Ok(answer);
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(answer) => answer,
            Err(_) => bail!("no {what}; the page shows:\n{}", self.text().await?),
        }
    }

    /// An element that has left the page meanwhile is nothing.
    async fn is(&self, element: &str, state: &str) -> bool {
        let answer = self.get(&format!("{element}/{state}")).await;
        answer.is_ok_and(|answer| answer == true)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let path = format!("{}{path}", self.session);
        self.driver.call("GET", &path, &Value::Null).await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let path = format!("{}{path}", self.session);
        self.driver.call("POST", &path, body).await
    }
}

fn capabilities(profile: &str) -> Value {
    let arguments = [
        "--headless=new",
        // Its own sandbox does not work for root, and it sees no page but ours.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        WINDOW,
        profile,
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    } } })
}
