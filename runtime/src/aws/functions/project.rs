//! What `project` needs of AWS: the bucket of the rows.
//!
//! It has the right to nothing else; changes of cases come with its events.
//! To let `project` do more, begin at `ProjectServices`.

use aws_config::SdkConfig;
use casework::step::StepError;
use contract::settings::ANALYTICS_BUCKET;

use crate::aws::s3::Bucket;
use crate::project::ProjectServices;
use crate::row::Rows;
use crate::settings::{SettingsError, required};

/// The services of `project`.
pub struct Project {
    bucket: Bucket,
}

impl Project {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(Self { bucket: Bucket::new(config, required(ANALYTICS_BUCKET)?) })
    }
}

impl ProjectServices for Project {
    async fn put_rows(&self, rows: &Rows) -> Result<(), StepError> {
        self.bucket.put_rows(rows).await
    }
}
