//! Certificates of a test's own authority.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority whose files stand in a folder.
pub struct Authority {
    folder: PathBuf,
    name: String,
}

/// What a server shows, and the key to it.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Self {
        let authority = Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
        };
        let (key, certificate) = (authority.file("key"), authority.certificate());
        openssl(&[
            &["req", "-x509", "-days", "2", "-subj"][..],
            &[&format!("/CN={name}")],
            &CURVE,
            &["-addext", "keyUsage=critical,keyCertSign", "-keyout"],
            &[&text(&key), "-out", &text(&certificate)],
        ]);
        authority
    }

    /// What whoever trusts this authority is given.
    pub fn certificate(&self) -> PathBuf {
        self.file("pem")
    }

    /// Issues one for these names, as `DNS:localhost,IP:127.0.0.1`.
    pub fn issue(&self, names: &str) -> Certificate {
        let [request, extension] = ["request", "extension"].map(|name| self.file(name));
        let issued = Certificate {
            certificate: self.file("server.pem"),
            key: self.file("server.key"),
        };
        openssl(&[
            &["req", "-subj", "/CN=server"],
            &CURVE,
            &["-keyout", &text(&issued.key), "-out", &text(&request)],
        ]);
        let extensions = format!("subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\n");
        std::fs::write(&extension, extensions).expect("the folder is ours");
        openssl(&[
            &["x509", "-req", "-days", "2", "-CAcreateserial"],
            &["-in", &text(&request), "-extfile", &text(&extension)],
            &["-CA", &text(&self.certificate())],
            &["-CAkey", &text(&self.file("key"))],
            &["-out", &text(&issued.certificate)],
        ]);
        issued
    }

    fn file(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", self.name))
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn openssl(words: &[&[&str]]) {
    let made = Command::new("openssl").args(words.concat()).output();
    let made = made.expect("openssl is installed; tests/run.sh does it");
    assert!(made.status.success(), "{made:?}");
}

const CURVE: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];
