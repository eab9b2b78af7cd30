//! A webhook: one POST of JSON. Certificates are held against those that this system trusts.

use super::messenger::PATIENCE;
use anyhow::{Result, anyhow, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// So much of an answer is looked at.
const ANSWER: u64 = 4096;

pub fn tell(url: &str, headers: &BTreeMap<String, String>, body: &Value) -> Result<()> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    // A redirect would take the message elsewhere.
    let config =
        Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).http_status_as_error(false).tls_config(tls).build();
    let mut request = Agent::from(config).post(url).header("Content-Type", "application/json");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    // The address is a secret.
    let mut response = request.send(body.to_string()).map_err(|error| anyhow!("{}", error.to_string().replace(url, "(url)")))?;
    if response.status().is_success() {
        return Ok(());
    }
    let said = response.body_mut().with_config().limit(ANSWER).read_to_string().unwrap_or_default();
    bail!("{} {}", response.status(), said.lines().next().unwrap_or_default())
}
