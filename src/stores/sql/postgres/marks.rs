//! What is written down by the way, without keeping anybody waiting: that a token was seen, and
//! when sessions were used.

use super::PostgresStore;
use super::columns;
use super::known::Asked;
use super::literal::{Id, Text};
use super::names::{Lock, Names};
use super::pools::Class;
use super::run::Ahead;
use super::tables::{Tables, unwritable};
use super::tag;
use crate::error::StoreError;
use crate::revocation::{About, Answer, Question};
use crate::session::{SessionRecord, Use};
use crate::stores::codec;
use crate::token::SessionId;

impl PostgresStore {
    /// Looks, and marks what was looked at by a condition: it is still what was read. Whoever
    /// writes a session has its row locked since they read it, so that neither misses the other.
    pub(super) async fn ask_once(&self, question: &Question) -> Result<Option<Answer>, StoreError> {
        let subjects = codec::subjects_of(&question.facts);
        let session = match question.about {
            About::Session => question.facts.session,
            About::Log => None,
        };
        let asked = Asked {
            sessions: session.as_slice(),
            about: Some(&subjects),
            ..Asked::default()
        };
        let names = self.shared.opened().await?.names.clone();
        let looked = self.read(Class::Confirm, asked, move |steps| {
            let (question, names) = (question.clone(), names.clone());
            Box::pin(async move {
                let look = steps.look(&question).await?;
                let Some(mark) = look.mark else {
                    return Ok(Some(look.answer));
                };
                let Some(text) = steps.rows.known.text.take() else {
                    return Ok(None);
                };
                let marked = steps.rows.mark(&names, &mark, &text).await?;
                Ok(marked.then_some(look.answer))
            })
        });
        looked.await
    }

    /// Writes down the uses of sessions that nobody else is at, and hands back the others.
    pub(super) async fn touch_idle(&self, uses: &[Use]) -> Result<Vec<Use>, StoreError> {
        let mut ids: Vec<SessionId> = uses.iter().map(|used| used.session).collect();
        ids.sort_unstable();
        ids.dedup();
        let ahead = Ahead {
            asked: Asked {
                sessions: &ids,
                ..Asked::default()
            },
            lock: Lock::Skip,
            ..Ahead::default()
        };
        let touched = self.write(ahead, |steps| {
            let uses = uses.to_vec();
            Box::pin(async move {
                let met = |used: &Use| {
                    let met = steps.rows.known.sessions.get(&used.session);
                    met.is_some_and(Option::is_some)
                };
                let (met, others): (Vec<Use>, Vec<Use>) = uses.into_iter().partition(met);
                steps.touch(&met).await?;
                Ok(others)
            })
        });
        touched.await
    }
}

impl Tables {
    /// Replaces a record if it is still the text that was read.
    async fn mark(
        &mut self,
        names: &Names,
        record: &SessionRecord,
        before: &str,
    ) -> Result<bool, StoreError> {
        let text = codec::encode_session(record).map_err(unwritable)?;
        let rows = self
            .link
            .run(format!(
                "UPDATE {} SET record = {} \
                 WHERE id = {} AND ended_at IS NULL AND record = {} RETURNING {} AS q",
                names.sessions,
                Text(&text),
                Id(record.id.as_bytes()),
                Text(before),
                tag::COUNT,
            ))
            .await?;
        Ok(rows.iter().any(|row| columns::tag(row) == Some(tag::COUNT)))
    }
}
