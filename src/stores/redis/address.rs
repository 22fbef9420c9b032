//! Addresses: one server, or the sentinels that know which one it is.

use std::fmt;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult};

use super::cluster::Cluster;
use super::error::{not_opened, told};
use super::transport;
use crate::error::{StoreError, StoreErrorKind};

/// Where the primary is found.
#[derive(Clone)]
pub(super) enum Address {
    Cluster(Box<Cluster>),
    Sentinels(Sentinels),
    Single(Client),
}

#[derive(Clone)]
pub(super) struct Sentinels {
    hosts: Vec<Client>,
    master: String,
    /// What the address of the primary begins and ends with.
    before: String,
    database: String,
}

impl Address {
    /// Reads `redis://`, `rediss://`, `redis+sentinel://` and `rediss+sentinel://`.
    pub(super) fn parse(address: &str) -> Result<Self, StoreError> {
        let wrong = |what: &str| Err(told(StoreErrorKind::Configuration, what));
        let Some((scheme, rest)) = address.split_once("://") else {
            return wrong("the address has no scheme: write it as redis://host:6379");
        };
        match scheme {
            "redis" | "redis+cluster" | "redis+sentinel" => {}
            "rediss" | "rediss+cluster" | "rediss+sentinel" => transport::check()?,
            _ => {
                return wrong(
                    "the address is none of redis://, redis+cluster://, redis+sentinel://, nor of these with rediss",
                );
            }
        }
        if let Some(scheme) = scheme.strip_suffix("+cluster") {
            return Cluster::parse(scheme, rest).map(|cluster| Self::Cluster(Box::new(cluster)));
        }
        match scheme.strip_suffix("+sentinel") {
            Some(scheme) => Sentinels::parse(scheme, rest).map(Self::Sentinels),
            None => Ok(Self::Single(client(address).map_err(not_opened)?)),
        }
    }

    /// The primary, as far as is known now; of a cluster some node.
    pub(super) async fn primary(&self) -> RedisResult<Client> {
        match self {
            Self::Cluster(cluster) => Ok(cluster.some_node()),
            Self::Sentinels(sentinels) => sentinels.primary().await,
            Self::Single(client) => Ok(client.clone()),
        }
    }
}

impl fmt::Debug for Address {
    /// Neither names nor passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cluster(_) => "Cluster",
            Self::Sentinels(_) => "Sentinels",
            Self::Single(_) => "Single",
        })
    }
}

impl Sentinels {
    fn parse(scheme: &str, rest: &str) -> Result<Self, StoreError> {
        let wrong = || {
            told(
                StoreErrorKind::Configuration,
                "the sentinels are not understood: write them as redis+sentinel://host:26379,host:26379/master/0",
            )
        };
        let (rest, own) = match rest.split_once('?') {
            Some((rest, query)) => (rest, own_credentials(query).ok_or_else(wrong)?),
            None => (rest, String::new()),
        };
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (format!("{credentials}@"), rest),
            None => (String::new(), rest),
        };
        let (hosts, path) = rest.split_once('/').ok_or_else(wrong)?;
        let (master, database) = path.split_once('/').unwrap_or((path, "0"));
        let hosts = hosts
            .split(',')
            .map(|host| match host.rsplit_once(':') {
                _ if host.is_empty() => Err(wrong()),
                Some(_) => client(&format!("{scheme}://{own}{host}")).map_err(not_opened),
                None => client(&format!("{scheme}://{own}{host}:26379")).map_err(not_opened),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if master.is_empty() || database.parse::<u32>().is_err() {
            return Err(wrong());
        }
        Ok(Self {
            hosts,
            master: master.to_owned(),
            before: format!("{scheme}://{credentials}"),
            database: database.to_owned(),
        })
    }

    /// Asks one sentinel after the other.
    async fn primary(&self) -> RedisResult<Client> {
        let mut last = RedisError::from((
            ErrorKind::MasterNameNotFoundBySentinel,
            "no sentinel knows a primary of this name",
        ));
        for sentinel in &self.hosts {
            match self.ask(sentinel).await {
                Ok(Some((host, port))) => {
                    let host = if host.contains(':') {
                        format!("[{host}]")
                    } else {
                        host
                    };
                    let Self {
                        before, database, ..
                    } = self;
                    return client(&format!("{before}{host}:{port}/{database}"));
                }
                Ok(None) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask(&self, sentinel: &Client) -> RedisResult<Option<(String, u16)>> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(SENTINEL_PATIENCE))
            .set_response_timeout(Some(SENTINEL_PATIENCE));
        let mut connection = sentinel
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        redis::cmd("SENTINEL")
            .arg("get-master-addr-by-name")
            .arg(&self.master)
            .query_async(&mut connection)
            .await
    }
}

/// What the sentinels themselves ask for: `sentinel_user=…&sentinel_password=…`.
fn own_credentials(query: &str) -> Option<String> {
    let (mut user, mut password) = ("", "");
    for pair in query.split('&') {
        match pair.split_once('=')? {
            ("sentinel_user", value) => user = value,
            ("sentinel_password", value) => password = value,
            _ => return None,
        }
    }
    Some(format!("{user}:{password}@"))
}

pub(super) fn client(address: &str) -> RedisResult<Client> {
    let info = redis::IntoConnectionInfo::into_connection_info(address)?;
    let tcp = transport::patient(TcpSettings::default().set_nodelay(true));
    Client::open(info.set_tcp_settings(tcp))
}

const SENTINEL_PATIENCE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_write_an_address_is_understood() {
        for address in [
            "redis://127.0.0.1",
            "redis://user:p%40ss@localhost:6380/3",
            "redis+cluster://user:secret@a:1,b",
            "redis+sentinel://a:1,b:2/mymaster",
            "redis+sentinel://user:secret@a,b/mymaster/2",
            "redis+sentinel://a,b/mymaster?sentinel_password=p%40ss",
            "redis+sentinel://a/mymaster/2?sentinel_user=u&sentinel_password=p",
        ] {
            assert!(Address::parse(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        use std::error::Error;
        for address in [
            "",
            "redis",
            "http://secret@host",
            "redis://user:secret@host:port",
            "redis://user:secret@host/database",
            "redis://",
            "redis+cluster://user:secret@",
            "redis+cluster://user:secret@a,,b",
            "redis+cluster://user:secret@a/1",
            "redis+sentinel://user:secret@a:1",
            "redis+sentinel://user:secret@a:1/",
            "redis+sentinel://user:secret@a:1/master/x",
            "redis+sentinel://user:secret@,/master",
            "redis+sentinel://a/master?sentinel_passwort=secret",
        ] {
            let error = Address::parse(address).expect_err("it is none");
            assert_eq!(error.kind(), StoreErrorKind::Configuration, "{address}");
            let mut cause: Option<&dyn Error> = Some(&error);
            while let Some(error) = cause {
                assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
                cause = error.source();
            }
        }
    }
}
