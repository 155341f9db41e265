//! One run at a time on a cell: an object in the artifacts bucket says who is at work.
//!
//! It is made only where there is none, which S3 decides, and renewed by its holder. One that was not
//! renewed for [`STALE`] is of a run that died; its own run takes it back at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cloud::{Cloud, CloudError, Condition, Trouble};

/// The object's key in the artifacts bucket.
pub const KEY: &str = "deploy/lock.json";
/// Time between two renewals. Our choice.
pub const BEAT: Duration = Duration::from_secs(30);
/// Age at which a lock counts as left behind. Our choice: ten beats, and what clocks differ.
pub const STALE: Duration = Duration::from_mins(5);
/// Attempts to take a lock that others take and give back meanwhile. Our choice.
const ATTEMPTS: usize = 4;

/// Who is at work on a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run's id.
    pub run: String,
    /// Who began it: a person or a pipeline, and where.
    pub by: String,
    /// RFC 3339.
    pub since: String,
    /// Tells the process from another one that goes on with the same run.
    #[serde(default)]
    pub process: String,
}

/// A lock that this run holds.
#[derive(Clone, Debug)]
pub struct Lock {
    bucket: String,
    holder: Holder,
    entity_tag: String,
}

/// What became of the wish to hold a cell.
#[derive(Debug)]
pub enum Taken {
    Held(Lock),
    /// Somebody else does.
    Refused(Holder),
    /// Nothing was ever deployed to the cell: there is no bucket.
    NoBucket,
}

/// Takes the lock of a cell.
pub async fn take(cloud: &impl Cloud, bucket: &str, holder: &Holder) -> Result<Taken, CloudError> {
    let mut condition = Condition::Absent;
    let mut other = holder.clone();
    for _ in 0..ATTEMPTS {
        let put = match cloud.put_if((bucket, KEY), to_bytes(holder), &condition).await {
            Err(error) if error.trouble == Trouble::Absent => return Ok(Taken::NoBucket),
            put => put?,
        };
        if let Some(entity_tag) = put {
            let (bucket, holder) = (bucket.to_owned(), holder.clone());
            return Ok(Taken::Held(Lock { bucket, holder, entity_tag }));
        }
        let Some(found) = cloud.fetch(bucket, KEY).await? else {
            condition = Condition::Absent;
            continue;
        };
        // One that cannot be read was written by no `arm` that is at work.
        let held = serde_json::from_slice::<Holder>(&found.bytes).ok();
        let is_mine = held.as_ref().is_some_and(|it| it.run == holder.run);
        if let Some(held) = held
            && !is_mine
            && found.age < STALE
        {
            return Ok(Taken::Refused(held));
        }
        other = serde_json::from_slice(&found.bytes).unwrap_or(other);
        condition = Condition::Same(found.entity_tag);
    }
    Ok(Taken::Refused(other))
}

impl Lock {
    /// Says that this run is still at work; false when somebody else took the lock over.
    pub async fn renew(&mut self, cloud: &impl Cloud) -> Result<bool, CloudError> {
        let condition = Condition::Same(self.entity_tag.clone());
        let object = (self.bucket.as_str(), KEY);
        if let Some(entity_tag) = cloud.put_if(object, to_bytes(&self.holder), &condition).await? {
            self.entity_tag = entity_tag;
            return Ok(true);
        }
        // A renewal whose answer was lost is ours still.
        let found = cloud.fetch(&self.bucket, KEY).await?;
        let Some(found) = found else { return Ok(false) };
        let is_mine =
            serde_json::from_slice::<Holder>(&found.bytes).is_ok_and(|it| it == self.holder);
        if is_mine {
            self.entity_tag = found.entity_tag;
        }
        Ok(is_mine)
    }

    /// Gives the cell free.
    pub async fn give_back(mut self, cloud: &impl Cloud) -> Result<(), CloudError> {
        if self.renew(cloud).await? {
            cloud.delete_object(&self.bucket, KEY).await?;
        }
        Ok(())
    }
}

fn to_bytes(holder: &Holder) -> Vec<u8> {
    serde_json::to_vec(holder).expect("a holder is three texts")
}
