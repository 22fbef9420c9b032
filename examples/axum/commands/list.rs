//! `sessions list`, and the walk over all of them that others take, too.

use std::error::Error;
use std::process::ExitCode;

use tower_jwt_session::{SessionId, SessionInfo};

use super::{Desk, Outcome, print};

impl Desk {
    pub async fn list(&self, user: Option<String>, ended: bool, json: bool) -> Outcome {
        let user = match &user {
            Some(named) => Some(self.user(named).await?),
            None => None,
        };
        let mut all = Vec::new();
        if let (true, Some(user)) = (ended, &user) {
            all = self.auth.sessions().list_ended(user).await?;
        } else {
            let mut after = None;
            loop {
                let sessions = self.auth.sessions();
                let (page, next) = sessions.page(user.as_ref(), after, PAGE).await?;
                all.extend(page);
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        if json {
            print::line(&serde_json::to_string_pretty(&all)?)?;
        } else {
            print::table(&HEADINGS, &all.iter().map(row).collect::<Vec<_>>())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// A page of live sessions, and where the next begins.
    pub async fn page(
        &self,
        after: Option<SessionId>,
    ) -> Result<(Vec<SessionInfo>, Option<SessionId>), Box<dyn Error>> {
        Ok(self.auth.sessions().page(None, after, PAGE).await?)
    }
}

fn row(session: &SessionInfo) -> Vec<String> {
    let place = session.city.as_ref().or(session.country.as_ref());
    let state = match (session.ended_at, session.ended_reason) {
        (Some(at), Some(reason)) => format!("{reason} {at}"),
        _ => format!("active {}", session.last_active),
    };
    let device = session.name.as_ref().unwrap_or(&session.device);
    let address = session.ip_address.map(|address| address.to_string());
    vec![
        session.id.to_string(),
        print::harmless(session.user_id.as_str()),
        print::harmless(device),
        address.unwrap_or_default(),
        place
            .map(|place| print::harmless(place))
            .unwrap_or_default(),
        session.created_at.to_string(),
        state,
    ]
}

const HEADINGS: [&str; 7] = [
    "ID",
    "USER",
    "DEVICE",
    "ADDRESS",
    "PLACE",
    "SIGNED IN",
    "STATE",
];
const PAGE: usize = 500;
