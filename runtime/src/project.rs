//! `project`: changes of cases become rows in the analytics bucket.
//!
//! Records come in the order of the table's stream and a batch is repeated from the first record
//! that failed, so rows may come twice, never too few.

use casework::step::StepError;

use crate::row::{self, Record, Rows};

/// What `project` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait ProjectServices {
    /// Puts one object of rows; again, the same object.
    async fn put_rows(&self, rows: &Rows) -> Result<(), StepError>;
}

/// A failure, and the place in the stream from which the batch must come again.
#[derive(Debug)]
pub struct Interrupted {
    pub sequence: String,
    pub error: StepError,
}

/// Handles some records and returns how many objects were put.
pub async fn handle(
    services: &impl ProjectServices,
    records: &[Record],
) -> Result<usize, Interrupted> {
    let objects = row::objects(records);
    for rows in &objects {
        // Objects are in the order of their first records, so all before this one's are put.
        services
            .put_rows(rows)
            .await
            .map_err(|error| Interrupted { sequence: rows.first_sequence.clone(), error })?;
    }
    Ok(objects.len())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use casework::case;
    use casework::case_table::memory::run;
    use casework::incident::example::detection;
    use contract::priority::Priority;

    use super::*;

    /// A bucket that refuses the object of this index.
    struct Script {
        refused: usize,
        keys: RefCell<Vec<String>>,
    }

    impl ProjectServices for Script {
        async fn put_rows(&self, rows: &Rows) -> Result<(), StepError> {
            if self.keys.borrow().len() == self.refused {
                return Err(StepError::retryable("put rows", &rows.key, "refused"));
            }
            self.keys.borrow_mut().push(rows.key.clone());
            Ok(())
        }
    }

    const DAY_S: i64 = 86_400;

    fn check(refused: usize) -> (Result<usize, String>, Vec<String>) {
        let record = |(index, day): (usize, i64)| Record {
            sequence: format!("{}00", index + 1),
            case: {
                let detection = detection(day * DAY_S, Priority::High);
                case::open(&detection, None, "evidence", day * DAY_S * 1_000).case
            },
        };
        let records: Vec<_> = [0, 1, 0, 2].into_iter().enumerate().map(record).collect();
        let script = Script { refused, keys: RefCell::default() };
        let outcome = run(handle(&script, &records)).unwrap().map_err(|it| it.sequence);
        (outcome, script.keys.into_inner())
    }

    #[test]
    fn rows_are_put_by_day_and_store_under_the_places_of_their_records() {
        let keys = [
            "cases/dt=1970-01-01/store_id=seattle-001/100-300.json",
            "cases/dt=1970-01-02/store_id=seattle-001/200-200.json",
            "cases/dt=1970-01-03/store_id=seattle-001/400-400.json",
        ];
        assert_eq!(check(9), (Ok(3), keys.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_batch_comes_again_from_the_first_record_that_was_not_put() {
        assert_eq!(check(0).0, Err("100".to_owned()));
        assert_eq!(check(1).0, Err("200".to_owned()));
        assert_eq!(check(2).0, Err("400".to_owned()));
    }
}
