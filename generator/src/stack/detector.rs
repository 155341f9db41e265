//! The model that watches: somebody else's endpoint, or one that we host.

use serde::Serialize;
use serde_json::Value;

use super::{arn_text, sub};
use crate::model::{Cell, Detector, HostedModel};
use crate::name::CellNames;

#[derive(Serialize)]
pub(super) struct Hosted {
    image: String,
    data: Option<String>,
    data_arn: Option<Value>,
    repository_arn: Value,
    instance: String,
    has_local_storage: bool,
    instances_min: u32,
    instances_max: u32,
    concurrency: u32,
}

#[derive(Serialize)]
pub(super) struct DetectorNames {
    endpoint: String,
    variant: String,
    log_group: String,
    alarm: String,
    role: String,
}

pub(super) fn endpoint(cell: &Cell, names: &CellNames) -> String {
    match &cell.detector {
        Detector::Existing { endpoint } => endpoint.clone(),
        Detector::Hosted(_) => names.detector(),
    }
}

pub(super) fn detector_names(names: &CellNames) -> DetectorNames {
    let endpoint = names.detector();
    DetectorNames {
        variant: format!("endpoint/{endpoint}/variant/main"),
        log_group: format!("/aws/sagemaker/Endpoints/{endpoint}"),
        alarm: names.alarm("detector-errors"),
        role: endpoint.clone(),
        endpoint,
    }
}

pub(super) fn hosted(model: &HostedModel) -> Hosted {
    let (instances_min, instances_max) = model.instances;
    let data = model.data.clone();
    let data_arn = data.as_deref().and_then(|uri| uri.strip_prefix("s3://"));
    Hosted {
        image: model.image.clone(),
        data_arn: data_arn.map(|object| sub(&format!("arn:${{AWS::Partition}}:s3:::{object}"))),
        data,
        repository_arn: sub(&repository_arn(&model.image)),
        instance: model.instance.clone(),
        has_local_storage: has_local_storage(&model.instance),
        instances_min,
        instances_max,
        concurrency: model.concurrency,
    }
}

/// The repository of an image `<account>.dkr.ecr.<region>.<suffix>/<repository>[:tag|@digest]`; of an
/// image that is named otherwise, any repository of the account.
fn repository_arn(image: &str) -> String {
    let (registry, path) = image.split_once('/').unwrap_or(("", image));
    let repository = path.split(['@', ':']).next().unwrap_or(path);
    let mut labels = registry.split('.');
    match (labels.next(), labels.next(), labels.next(), labels.next()) {
        (Some(account), Some("dkr"), Some("ecr"), Some(region)) => {
            format!("arn:${{AWS::Partition}}:ecr:{region}:{account}:repository/{repository}")
        }
        _ => arn_text("ecr", "repository/*"),
    }
}

/// Whether instances of this type bring their own disks, which they encrypt themselves.
///
/// `CreateEndpointConfig` fails when it is given a key for one of them. Source: SageMaker API
/// reference, `CreateEndpointConfig`, `KmsKeyId`; EC2 instance types with instance store.
fn has_local_storage(instance: &str) -> bool {
    let family = instance.split('.').nth(1).unwrap_or("");
    let attributes = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let attributes = attributes.trim_start_matches(|c: char| c.is_ascii_digit());
    let accelerated = ["g4", "g5", "g6", "gr6", "p4", "p5", "p6", "trn"];
    attributes.contains('d') || accelerated.iter().any(|prefix| family.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_only_given_for_instances_that_take_one() {
        let local = [
            "ml.g4dn.xlarge",
            "ml.g5.2xlarge",
            "ml.m5d.large",
            "ml.c6gd.xlarge",
            "ml.p4d.24xlarge",
        ];
        let remote =
            ["ml.m5.large", "ml.c7g.large", "ml.inf2.xlarge", "ml.p3.2xlarge", "ml.t2.medium"];
        assert_eq!(local.map(has_local_storage), [true; 5]);
        assert_eq!(remote.map(has_local_storage), [false; 5]);
    }

    #[test]
    fn the_detector_may_pull_its_own_image_only() {
        let arn = "arn:${AWS::Partition}:ecr:eu-west-1:210987654321:repository/a/b";
        for suffix in ["", ":1.4", "@sha256:00ff", ":1.4@sha256:00ff"] {
            let image = format!("210987654321.dkr.ecr.eu-west-1.amazonaws.com/a/b{suffix}");
            assert_eq!(repository_arn(&image), arn);
        }
    }
}
