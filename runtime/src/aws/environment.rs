//! What all clients share: region, credentials, endpoints and one HTTP client, from Lambda's environment.
//!
//! Nothing else is looked for. The SDK's own search (profiles, the instance's metadata, single
//! sign-on) finds nothing on Lambda, and its code would be part of every start. A shared HTTP client
//! reads the certificate authorities once, and keeps one connection for all calls to a host. To let
//! the environment say more, add it to `config`.

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::{IdentityCache, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::CONNECT_MAX;
use crate::settings::{self, SettingsError};

/// The name by which the SDK asks for an endpoint.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Reads what all clients share.
pub(super) async fn config(
    timeouts: TimeoutConfig,
    retries: RetryConfig,
) -> Result<SdkConfig, SettingsError> {
    let region = EnvironmentVariableRegionProvider::new().region().await;
    let region = region.ok_or(SettingsError::Missing("AWS_REGION"))?;
    // Credentials of a Lambda instance stay as they are for as long as it lives.
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(IdentityCache::lazy().build())
        .service_config(Endpoints)
        .http_client(http_client())
        .timeout_config(timeouts)
        .retry_config(retries);
    Ok(config.build())
}

/// Endpoints that the environment names, for one service or for all.
#[derive(Debug)]
struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.env() == ENDPOINT_URL).then(|| settings::endpoint_url(key.service_id())).flatten()
    }
}

/// The one client of all services; its connections outlive the events.
fn http_client() -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_MAX).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    let connector = SharedHttpConnector::new(connector);
    // A connector's own settings are its timeouts, and ours all have this one.
    http_client_fn(move |_, _| connector.clone())
}
