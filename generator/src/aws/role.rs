//! A cell's role, assumed over whatever credentials the caller has.
//!
//! The SDK's identity cache (`aws-smithy-runtime`, `client/identity/cache/lazy.rs`) asks again some
//! seconds before the session ends, for every client of one configuration at once; `AssumeRoleProvider`
//! then asks the caller's own chain anew, so that a sign-in of meanwhile counts. A session lasts an hour,
//! which is also the most that AWS grants where the caller has a role already.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_sdk_sts::config::SharedCredentialsProvider;

use crate::model::Cell;

/// Whom calls are made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The cell's id.
    pub cell: String,
    pub arn: String,
    pub external_id: Option<String>,
    /// By which `CloudTrail` of the cell's account calls the caller.
    pub session_name: String,
}

impl Role {
    /// The role of a cell, if it has one.
    pub fn of_cell(cell: &Cell) -> Option<Self> {
        let role = cell.role.as_ref()?;
        Some(Self {
            cell: cell.id.to_string(),
            arn: role.arn.clone(),
            external_id: role.external_id.clone(),
            session_name: format!("arm-{}", cell.id),
        })
    }

    /// The same configuration with the role's credentials; nothing is asked of AWS before the first call.
    pub(super) async fn assume(&self, config: SdkConfig) -> SdkConfig {
        let provider = AssumeRoleProvider::builder(&self.arn)
            .session_name(&self.session_name)
            .configure(&config);
        let provider = match &self.external_id {
            Some(external_id) => provider.external_id(external_id),
            None => provider,
        };
        let provider = SharedCredentialsProvider::new(provider.build().await);
        config.into_builder().credentials_provider(provider).build()
    }

    /// Completes "cannot ..." where the role gave no credentials, with what to do about it.
    pub(super) fn refused(&self) -> String {
        let external_id = match &self.external_id {
            Some(external_id) => format!("with the external id `{external_id}`"),
            None => "without an external id".to_owned(),
        };
        format!(
            "assume the role {} of the cell `{}` as {}\n  help: give credentials that may do \
             `sts:AssumeRole` with it (AWS_PROFILE, `aws sso login`), and look whether its trust policy \
             lets them in {external_id} and AWS can be reached from here",
            self.arn, self.cell, self.session_name
        )
    }
}

#[cfg(test)]
mod tests;
