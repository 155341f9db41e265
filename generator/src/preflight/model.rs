//! Whether the model can start: its image in ECR, its data in S3, or the endpoint that somebody else runs.
//!
//! Asked with the caller's credentials, which are not those of the model's role: what they may not see is
//! unknown, not missing.

use crate::deploy::CloudError;
use crate::model::{Detector, HostedModel};

use super::{Area, Check, PreflightServices, Verdict, Wanted};

/// An image as ECR knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The account of the registry.
    pub registry: String,
    pub region: String,
    pub repository: String,
    /// With its `sha256:` in front where it is a digest.
    pub version: Version,
}

/// Which of a repository's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    Tag(String),
    Digest(String),
}

/// What becomes of a question whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    There,
    Missing,
    /// The credentials may not look.
    OutOfSight,
    /// It is in another region.
    OtherRegion,
}

impl Image {
    /// Returns `None` for what is no image in ECR. Source of the form: ECR user guide, "Amazon ECR registries".
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, name) = text.split_once('/')?;
        let mut parts = host.split('.');
        let registry = parts.next()?;
        if (parts.next(), parts.next()) != (Some("dkr"), Some("ecr")) {
            return None;
        }
        let region = parts.next()?;
        let (repository, version) = match name.split_once('@') {
            // A digest decides where a tag stands beside it.
            Some((name, digest)) => (name.split(':').next()?, Version::Digest(digest.to_owned())),
            None => match name.split_once(':') {
                Some((name, tag)) => (name, Version::Tag(tag.to_owned())),
                None => (name, Version::Tag("latest".to_owned())),
            },
        };
        Some(Self {
            registry: registry.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
            version,
        })
    }
}

pub(super) async fn look(services: &impl PreflightServices, wanted: &Wanted<'_>) -> Vec<Check> {
    let model = match &wanted.cell.detector {
        Detector::Existing { endpoint } => {
            let text = format!(
                "whether the endpoint {endpoint} is in service is not asked: `arm` has no client for SageMaker's own calls; windows wait, and alerts with them, until it is"
            );
            let remedy = format!(
                "look with `aws sagemaker describe-endpoint --endpoint-name {endpoint} --region {}`",
                wanted.cell.region
            );
            return vec![Check::new(Area::Model, Verdict::Unknown, text).remedy(remedy)];
        }
        Detector::Hosted(model) => model,
    };
    let image = if let Some(image) = Image::parse(&model.image) {
        of_image(wanted, model, &image, &services.image(&image).await)
    } else {
        let text = format!(
            "whether the image {} is there is not known: it is not in Amazon ECR",
            model.image
        );
        Check::new(Area::Model, Verdict::Unknown, text)
    };
    let data = match model.data.as_deref().map(|data| (data, place(data))) {
        None => None,
        Some((data, Some((bucket, key)))) => {
            Some(of_data(wanted, data, &services.object(bucket, key).await))
        }
        Some((data, None)) => {
            let text = format!(
                "whether the model's data {data} is there is not known: it names no object in S3"
            );
            Some(Check::new(Area::Model, Verdict::Unknown, text))
        }
    };
    std::iter::once(image).chain(data).collect()
}

/// Bucket and key.
fn place(data: &str) -> Option<(&str, &str)> {
    data.strip_prefix("s3://")?.split_once('/')
}

fn of_image(
    wanted: &Wanted<'_>,
    model: &HostedModel,
    image: &Image,
    found: &Result<Found, CloudError>,
) -> Check {
    let name = &model.image;
    match found {
        Ok(Found::There) => {
            Check::new(Area::Model, Verdict::Passed, format!("the image {name} is there"))
        }
        Ok(Found::Missing | Found::OtherRegion) => {
            let text = format!(
                "the image {name} is not in ECR; the endpoint would fail, and the platform stack with it"
            );
            Check::new(Area::Model, Verdict::Failed, text)
                .remedy("push the image, or correct `image` of the model in fleet.yaml")
        }
        Ok(Found::OutOfSight) => {
            let whose = if image.registry == wanted.cell.account {
                "these credentials may not look"
            } else {
                "it is another account's, which does not let these credentials look"
            };
            let text = format!("whether the image {name} is there is not known: {whose}");
            Check::new(Area::Model, Verdict::Unknown, text)
                .remedy("allow `ecr:DescribeImages` on its repository")
        }
        Err(error) => {
            let what = format!("whether the image {name} is there is not known");
            Check::unasked(Area::Model, &what, error)
        }
    }
}

fn of_data(wanted: &Wanted<'_>, data: &str, found: &Result<Found, CloudError>) -> Check {
    let fails = "the endpoint would fail, and the platform stack with it";
    match found {
        Ok(Found::There) => {
            Check::new(Area::Model, Verdict::Passed, format!("the model's data {data} is there"))
        }
        Ok(Found::Missing) => {
            Check::new(Area::Model, Verdict::Failed, format!("there is no {data}; {fails}"))
                .remedy("upload the model's data, or correct `data` of the model in fleet.yaml")
        }
        // Source: SageMaker API reference, `ContainerDefinition`, `ModelDataUrl`.
        Ok(Found::OtherRegion) => {
            let region = &wanted.cell.region;
            let text = format!(
                "{data} is in another region than {region}, and SageMaker reads a model's data in its own; {fails}"
            );
            Check::new(Area::Model, Verdict::Failed, text)
                .remedy(format!("copy it into a bucket in {region}"))
        }
        Ok(Found::OutOfSight) => {
            let text = format!(
                "whether {data} is there is not known: S3 does not let these credentials look"
            );
            Check::new(Area::Model, Verdict::Unknown, text)
                .remedy("allow `s3:GetObject` and `s3:ListBucket` on it; the model's own role needs the first too, if it is another account's")
        }
        Err(error) => {
            Check::unasked(Area::Model, &format!("whether {data} is there is not known"), error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_to_its_tag_or_digest() {
        let read = |name: &str| {
            let text = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/{name}");
            let image = Image::parse(&text).unwrap();
            assert_eq!(
                (image.registry.as_str(), image.region.as_str()),
                ("123456789012", "us-west-2")
            );
            (image.repository, image.version)
        };
        let tag = |name: &str, tag: &str| (name.to_owned(), Version::Tag(tag.to_owned()));
        assert_eq!(read("shelf/model:1.4"), tag("shelf/model", "1.4"));
        assert_eq!(read("shelf"), tag("shelf", "latest"));
        let digest = Version::Digest("sha256:ab".to_owned());
        assert_eq!(read("shelf:1.4@sha256:ab"), ("shelf".to_owned(), digest));
        assert_eq!(Image::parse("docker.io/library/nginx:1"), None);
        assert_eq!(Image::parse("nginx"), None);
    }
}
