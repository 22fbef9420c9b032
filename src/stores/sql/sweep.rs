//! Ending what is over and forgetting what is old.

use std::time::Duration;

use super::rows::Rows;
use super::steps::Steps;
use crate::error::StoreError;
use crate::session::Swept;

impl<R: Rows> Steps<R> {
    pub(super) async fn sweep(
        &mut self,
        retention: Duration,
        batch: usize,
    ) -> Result<Swept, StoreError> {
        let mut due = self.rows.due(self.now, batch.saturating_add(1)).await?;
        let more_due = due.len() > batch;
        due.truncate(batch);
        let records = due.iter().filter_map(|row| row.found.as_ref());
        let records: Vec<_> = records.map(|found| &found.record).collect();
        let excused = self.excuses(records, self.now).await?;
        let mut over = Vec::new();
        for row in due {
            match row.found {
                Some(found) => match found.record.expired(self.now, excused) {
                    Some(reason) => over.push((found.record, reason)),
                    None if excused => {}
                    // Its row said otherwise, and would say so for ever.
                    None => self.rows.update(&found.record, None).await?,
                },
                // Nobody can use it, and its time is over: it would stand in the way of the others.
                None => self.rows.forget(row.id).await?,
            }
        }
        let (ended, lines) = self.end_over(over).await?;
        let committed = self.commit_any(lines).await?;
        let before = self.now - retention;
        let (forgotten, more_old) = self.rows.forget_ended_before(before, batch).await?;
        Ok(Swept {
            ended,
            committed,
            forgotten,
            // What is excused is still due, and would be for ever in this very sweep.
            more: more_due && !excused || more_old,
        })
    }
}
