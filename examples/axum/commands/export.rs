//! `sessions export`: as other programs read it.

use std::collections::HashSet;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

use tower_jwt_session::{SessionInfo, UserId};

use super::progress::Progress;
use super::{Desk, Outcome};
use crate::cli::Format;

impl Desk {
    pub async fn export(&self, format: Format, ended: bool, output: Option<PathBuf>) -> Outcome {
        let sink: Box<dyn Write> = match &output {
            None => Box::new(io::stdout().lock()),
            Some(path) => {
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                let file = options.open(path);
                Box::new(file.map_err(|error| format!("{}: {error}", path.display()))?)
            }
        };
        let mut sheet = Sheet::begin(BufWriter::new(sink), format)?;
        let written = self.write(&mut sheet, ended).await;
        match written.and_then(|()| Ok(sheet.end()?)) {
            Err(error) if is_closed(&*error) => Ok(ExitCode::SUCCESS),
            Err(error) => Err(error),
            Ok(()) => Ok(ExitCode::SUCCESS),
        }
    }

    async fn write(&self, sheet: &mut Sheet, ended: bool) -> Result<(), Box<dyn Error>> {
        let mut progress = Progress::new();
        let mut after = None;
        loop {
            let (page, next) = self.page(after).await?;
            for session in &page {
                sheet.add(session)?;
            }
            progress.at(format!("{} sessions", sheet.written));
            after = next;
            if after.is_none() {
                break;
            }
        }
        if !ended {
            return Ok(());
        }
        let upkeep = self.auth.store().upkeep();
        let upkeep = upkeep.ok_or("this store does not tell all its sessions")?;
        let (mut met, mut from) = (HashSet::<UserId>::new(), None);
        loop {
            let part = upkeep.export(from, 500).await?;
            for stored in part.sessions {
                if met.insert(stored.record.user.clone()) {
                    let user = &stored.record.user;
                    for session in self.auth.sessions().list_ended(user).await? {
                        sheet.add(&session)?;
                    }
                }
            }
            progress.at(format!("{} sessions", sheet.written));
            from = part.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

/// What is written, a session at a time.
struct Sheet {
    out: BufWriter<Box<dyn Write>>,
    format: Format,
    written: u64,
}

impl Sheet {
    fn begin(mut out: BufWriter<Box<dyn Write>>, format: Format) -> io::Result<Self> {
        match format {
            Format::Csv => write!(out, "{}\r\n", COLUMNS.join(","))?,
            Format::Json => write!(out, "[")?,
        }
        Ok(Self {
            out,
            format,
            written: 0,
        })
    }

    fn add(&mut self, session: &SessionInfo) -> Result<(), Box<dyn Error>> {
        match self.format {
            Format::Csv => {
                let fields = fields(session)?;
                let fields: Vec<_> = fields.iter().map(|field| quoted(field)).collect();
                write!(self.out, "{}\r\n", fields.join(","))?;
            }
            Format::Json => {
                let comma = if self.written == 0 { "" } else { "," };
                write!(self.out, "{comma}\n{}", serde_json::to_string(session)?)?;
            }
        }
        self.written += 1;
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        if let Format::Json = self.format {
            writeln!(self.out, "\n]")?;
        }
        self.out.flush()
    }
}

/// The fields by their names in JSON, which are those of the API.
fn fields(session: &SessionInfo) -> Result<Vec<String>, serde_json::Error> {
    let object = serde_json::to_value(session)?;
    let text = |name: &&str| match &object[*name] {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(COLUMNS.iter().map(text).collect())
}

/// A field as RFC 4180 has it. One that a spreadsheet would take for a formula is made text: what
/// devices and users are called is up to whoever signs in.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    if text.contains(['"', ',', '\r', '\n']) || formula {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn is_closed(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

const COLUMNS: [&str; 14] = [
    "id",
    "user_id",
    "device",
    "device_kind",
    "name",
    "ip_address",
    "country",
    "city",
    "user_agent",
    "created_at",
    "last_active",
    "is_mobile",
    "ended_at",
    "ended_reason",
];
