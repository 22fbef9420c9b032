//! A database while it is in use.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::error::misconfigured;
use super::link::{Link, Trouble};
use super::names::Names;
use super::news::News;
use super::open::open;
use super::pools::{Class, Pools};
use crate::error::StoreError;
use crate::stores::sql::layout::Layout;

/// What the clones of a store share.
pub(super) struct Shared {
    server: Server,
    schema: Option<String>,
    layout: Layout,
    pools: Pools,
    opened: ArcSwapOption<Opened>,
    opening: Mutex<()>,
    news: Arc<News>,
}

/// How a server is reached.
#[derive(Clone)]
pub(super) enum Server {
    At(Box<PgConnectOptions>),
    Through(PgPool),
}

/// Where the tables were found, and who listens there.
pub(super) struct Opened {
    pub(super) names: Arc<Names>,
    listener: AbortHandle,
}

/// Why an attempt came to nothing.
pub(super) struct Failure {
    error: StoreError,
    trouble: Option<Trouble>,
}

/// How often an attempt was made.
#[derive(Debug, Default)]
pub(super) struct Tries {
    conflicts: u32,
    gone: u32,
    elsewhere: bool,
}

impl Shared {
    pub(super) fn new(server: Server, schema: Option<String>, layout: Layout) -> Self {
        let pools = match server.clone() {
            Server::At(options) => Pools::own(options),
            Server::Through(pool) => Pools::within(pool),
        };
        Self {
            server,
            schema,
            layout,
            pools,
            opened: ArcSwapOption::empty(),
            opening: Mutex::new(()),
            news: Arc::default(),
        }
    }

    /// The same server with its tables in another schema.
    pub(super) fn in_schema(&self, schema: String) -> Self {
        Self::new(self.server.clone(), Some(schema), self.layout)
    }

    pub(super) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    pub(super) fn heard(&self) -> impl Future<Output = ()> + Send {
        self.news.heard()
    }

    pub(super) async fn acquire(&self, class: Class) -> Result<Link, Failure> {
        let link = self.pools.acquire(class).await;
        link.map_err(Failure::from)
    }

    /// Where the tables are, which is looked for when it is not known.
    pub(super) async fn opened(&self) -> Result<Arc<Opened>, StoreError> {
        let usable = || {
            let opened = self.opened.load_full();
            opened.filter(|opened| !opened.listener.is_finished())
        };
        if let Some(opened) = usable() {
            return Ok(opened);
        }
        let _only_one = self.opening.lock().await;
        if let Some(opened) = usable() {
            return Ok(opened);
        }
        let mut tries = Tries::default();
        let names = loop {
            match self.open().await {
                Ok(names) => break Arc::new(names),
                Err(failure) => self.again(&mut tries, failure).await?,
            }
        };
        let (options, channel) = (self.pools.options(), names.channel.clone());
        let listening = self.news.clone().listen(options, channel);
        let listener = tokio::spawn(listening).abort_handle();
        let opened = Arc::new(Opened { names, listener });
        self.opened.store(Some(opened.clone()));
        // Whoever waits for news has not seen this log yet.
        self.news.spread();
        Ok(opened)
    }

    async fn open(&self) -> Result<Names, Failure> {
        let mut link = self.acquire(Class::Follow).await?;
        let schema = self.schema.as_deref();
        if schema.is_some_and(|schema| schema.is_empty() || schema.contains('\0')) {
            return Err(misconfigured("the name of the schema is none").into());
        }
        match open(&mut link, schema, self.layout).await {
            Ok(names) => Ok(names),
            Err(error) => Err(Failure::of(error, &mut link).await),
        }
    }

    /// Waits until an attempt may be made again, or gives up.
    ///
    /// Connections of a pool that were cut turn out to be gone one by one as they are used.
    pub(super) async fn again(
        &self,
        tries: &mut Tries,
        failure: Failure,
    ) -> Result<(), StoreError> {
        match failure.trouble {
            Some(Trouble::Conflict) if tries.conflicts < MAX_CONFLICTS => {
                tries.conflicts += 1;
                tokio::time::sleep(NAP * tries.conflicts).await;
                Ok(())
            }
            Some(Trouble::Gone) if tries.gone <= self.pools.most() => {
                tries.gone += 1;
                Ok(())
            }
            // Another connection may lead to the primary, where this one was made before it was that.
            Some(Trouble::Elsewhere) if !tries.elsewhere => {
                tries.elsewhere = true;
                Ok(())
            }
            Some(Trouble::Uprooted) => {
                self.opened.store(None);
                Err(failure.error)
            }
            _ => Err(failure.error),
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Failure {
    /// After which nothing is left open.
    pub(super) async fn of(error: StoreError, link: &mut Link) -> Self {
        let trouble = link.trouble();
        link.undo().await;
        Self { error, trouble }
    }

    /// The same of a commit: where the connection went with it, nobody knows what came of it.
    pub(super) async fn of_commit(error: StoreError, link: &mut Link) -> Self {
        let mut failure = Self::of(error, link).await;
        failure.trouble = failure.trouble.filter(|trouble| *trouble != Trouble::Gone);
        failure
    }
}

impl Failure {
    /// Where there is no other attempt.
    pub(super) fn into_error(self) -> StoreError {
        self.error
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            trouble: None,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

const MAX_CONFLICTS: u32 = 8;
const NAP: Duration = Duration::from_millis(2);
