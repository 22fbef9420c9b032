//! A log that is too long for one answer.
//!
//! Its first piece is told by the script that writes the lease. What follows is read by plain
//! commands, which take the server less than half as long as a script, where each line is made a
//! value of Lua and back; and at the end the script is asked once more, for what came meanwhile.
//!
//! Nothing keeps the log still while it is read, and nothing has to:
//!
//! - A line is only taken out when it is over, and its end only ever moves on. So one that has
//!   gone is left out as one that is over, and of one that was read nothing was said too much.
//! - A new line has a higher place than all others. It is met further on, by the script at the
//!   end, or by the next poll.
//! - A plain question is also answered by a server that may not be written to, or that has lost
//!   something. The script at the end is not, or tells another history than the first one did;
//!   then nothing counts that was read between them.
//! - While a cluster moves a slot, each key is whole on one side, and a command about that key
//!   alone is sent where it is. One that is not let through fails them all, and what has moved for
//!   good tells another history.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use redis::{Value, pipe};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::error::{garbled, told};
use super::reply::{self, PartPoll, Piece};
use super::scripts::{SCRIPTS, number};
use super::{RedisStore, entries};
use crate::clock::UnixTime;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Pieces, RevocationEntry};

/// The names of some lines, in their order.
type Names = Vec<Value>;

impl RedisStore {
    /// What follows the first piece of a part's log. A lease was written with that one, and says
    /// nothing of what is read here: nobody has it yet.
    pub(super) async fn read_on(
        &self,
        part: u16,
        first: Piece,
        pieces: Option<&Pieces>,
    ) -> Result<PartPoll, StoreError> {
        let Piece {
            poll: mut whole,
            mut new,
            mut more,
        } = first;
        let now = whole.now;
        while more {
            // Off this thread, while the server is at the next.
            let read = Held(spawn_blocking(move || reply::entries_of(new, now)));
            let (ahead, named) = mpsc::channel(1);
            let lines = std::mem::take(&mut whole.entries);
            let (end, lines) = tokio::try_join!(
                self.names_after(part, whole.end, ahead),
                self.lines_of(part, named, now, (lines, read), pieces)
            )?;
            whole.entries = lines;
            let args = vec![
                String::new(),
                String::new(),
                number(end),
                format!("{:032x}", whole.history),
            ];
            let next = reply::piece(self.run(part, &SCRIPTS.poll, args).await?)?;
            if next.poll.history != whole.history {
                return Err(told(
                    StoreErrorKind::Unavailable,
                    "the history of the log changed while it was read",
                ));
            }
            (whole.end, new, more) = (next.poll.end, next.new, next.more);
        }
        whole.entries.extend(reply::entries_of(new, now)?);
        Ok(whole)
    }

    /// The names after a place, to who asks what they stand for; the place of the last. They are
    /// read ahead, so that the server need not wait to be told what it is asked next.
    async fn names_after(
        &self,
        part: u16,
        mut end: u64,
        ahead: mpsc::Sender<Names>,
    ) -> Result<u64, StoreError> {
        let log = self.key(part, "log");
        loop {
            let mut some = pipe();
            some.cmd("ZRANGEBYSCORE").arg(&log);
            some.arg(format!("({end}")).arg("+inf");
            some.arg("WITHSCORES").arg("LIMIT").arg(0).arg(PIECE);
            let [some] = reply::fixed(self.plain(&some).await?)?;
            let (names, last) = named(some)?;
            let Some(last) = last else { return Ok(end) };
            end = reply::score(last)?;
            let over = names.len() < PIECE;
            // Whoever does not take them has failed, and says so.
            if ahead.send(names).await.is_err() || over {
                return Ok(end);
            }
        }
    }

    /// What names stand for, behind what was read and what is being read. The server is at some
    /// pieces while others are on their way, or are taken apart.
    async fn lines_of(
        &self,
        part: u16,
        mut named: mpsc::Receiver<Names>,
        now: UnixTime,
        (mut lines, first): (Vec<RevocationEntry>, Held<Vec<RevocationEntry>>),
        pieces: Option<&Pieces>,
    ) -> Result<Vec<RevocationEntry>, StoreError> {
        // Whether names come or what they stand for: the server goes on.
        let one_more = || pieces.into_iter().for_each(Pieces::one_more);
        let (mut reading, mut is_open) = (VecDeque::from([first]), true);
        while is_open {
            match named.recv().await {
                Some(names) => {
                    one_more();
                    let store = self.clone();
                    let next = tokio::spawn(async move { store.piece(part, names, now).await });
                    reading.push_back(Held(next));
                }
                None => is_open = false,
            }
            let stay = if is_open { AT_ONCE - 1 } else { 0 };
            while reading.len() > stay
                && let Some(before) = reading.pop_front()
            {
                lines.extend(before.ended().await?);
                one_more();
            }
        }
        Ok(lines)
    }

    async fn piece(
        &self,
        part: u16,
        names: Names,
        now: UnixTime,
    ) -> Result<Vec<RevocationEntry>, StoreError> {
        let lines = reply::list(self.ask_for(part, "HMGET", "entries", &names).await?)?;
        if lines.len() != names.len() {
            return Err(garbled());
        }
        // What has gone meanwhile is nil.
        let mut read = Vec::with_capacity(names.len());
        let mut unsaid = Names::new();
        for (name, line) in names.into_iter().zip(lines) {
            let until = entries::says_that_it_stands(&line, now);
            if line != Value::Nil {
                if until.is_none() {
                    unsaid.push(name.clone());
                }
                read.push((name, line, until));
            }
        }
        if !unsaid.is_empty() {
            let ends = reply::list(self.ask_for(part, "ZMSCORE", "until", &unsaid).await?)?;
            if ends.len() != unsaid.len() {
                return Err(garbled());
            }
            let unsaid = read.iter_mut().filter(|(_, _, until)| until.is_none());
            for ((_, _, until), end) in unsaid.zip(ends) {
                let end = reply::optional(end, reply::score)?;
                *until = end.map(UnixTime::from_micros).filter(|end| *end > now);
            }
        }
        Held(spawn_blocking(move || together(read, now)))
            .ended()
            .await
    }

    /// What a key says of some names. About one key by itself: a command about two would be sent to the
    /// other side of a slot that moves as soon as one of them is there, and the other would be taken
    /// for absent.
    async fn ask_for(
        &self,
        part: u16,
        command: &str,
        key: &str,
        names: &Names,
    ) -> Result<Value, StoreError> {
        let mut alone = pipe();
        alone.cmd(command).arg(self.key(part, key));
        for name in names {
            alone.arg(bytes(name)?);
        }
        let [answer] = reply::fixed(self.plain(&alone).await?)?;
        Ok(answer)
    }
}

/// Lines by their names, of which those are over that have no end.
fn together(
    lines: Vec<(Value, Value, Option<UnixTime>)>,
    now: UnixTime,
) -> Result<Vec<RevocationEntry>, StoreError> {
    let mut read = Vec::with_capacity(lines.len());
    for (name, line, until) in lines {
        if let Some(until) = until {
            let id = entries::id_of(reply::hex128(name)?);
            read.extend(entries::line_of(id, until, line, now));
        }
    }
    Ok(read)
}

/// Names, and the place of the last: each name is followed by its place, or both are a pair.
fn named(value: Value) -> Result<(Names, Option<Value>), StoreError> {
    let (mut names, mut last) = (Vec::with_capacity(PIECE), None);
    let mut told = reply::list(value)?.into_iter();
    while let Some(first) = told.next() {
        let (name, place) = match first {
            Value::Array(pair) => <[Value; 2]>::try_from(pair).map_err(|_| garbled())?.into(),
            name => (name, told.next().ok_or_else(garbled)?),
        };
        names.push(name);
        last = Some(place);
    }
    Ok((names, last))
}

fn bytes(name: &Value) -> Result<&[u8], StoreError> {
    match name {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(garbled()),
    }
}

/// Work that is given up with whoever waits for it.
struct Held<T>(JoinHandle<Result<T, StoreError>>);

impl<T> Held<T> {
    async fn ended(mut self) -> Result<T, StoreError> {
        let gone = |_| told(StoreErrorKind::Unavailable, "the runtime is shutting down");
        (&mut self.0).await.map_err(gone)?
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How many lines are told by one command: others are not answered meanwhile.
const PIECE: usize = 2_000;
/// How many pieces are under way at once.
const AT_ONCE: usize = 4;
