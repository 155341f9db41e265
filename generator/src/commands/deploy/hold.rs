//! Holds a cell while one stack of it is mended or deleted, so that no run is at work there meanwhile.
//!
//! The hold is not renewed: after [`lock::STALE`] another run may take the cell, and then CloudFormation
//! alone keeps operations on the one stack apart.

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::{time, who};
use crate::aws::{Aws, Target};
use crate::commands;
use crate::deploy::lock::{self, Holder, Taken};
use crate::deploy::{DeployError, Paced};
use crate::error::CommandError;
use crate::model::Cell;
use crate::name::{Bucket, CellNames};

/// Does something to a cell's stack; `what` says what to whoever is kept out.
pub fn holding<T>(
    runtime: &Runtime,
    (cell, target): (&Cell, &Target),
    what: &str,
    work: impl FnOnce() -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let aws = runtime.block_on(Aws::connect(target));
    let cloud = Paced::new(&aws);
    let bucket = CellNames::new(cell).bucket(Bucket::Artifacts);
    let now = Timestamp::now();
    let holder = Holder {
        run: format!("{}-{}", what.replace(' ', "-"), now.as_millisecond()),
        by: format!("{}, `arm {what}`", who::by()),
        since: time(now),
        process: now.as_nanosecond().to_string(),
    };
    let taken = runtime.block_on(lock::take(&cloud, &bucket, &holder));
    let held = match taken.map_err(CommandError::environment)? {
        Taken::Held(held) => Some(held),
        Taken::NoBucket => None,
        Taken::Refused(Holder { by, since, .. }) => {
            let cell = cell.id.to_string();
            return Err(commands::refused(DeployError::Held { cell, by, since }));
        }
    };
    let done = work();
    let given = held.map_or(Ok(()), |it| runtime.block_on(it.give_back(&cloud)));
    let done = done?;
    given.map_err(CommandError::environment)?;
    Ok(done)
}
