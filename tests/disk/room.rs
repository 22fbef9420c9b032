//! A file system that only a node and its companions see, gone with the last of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::folder::Folder;
use crate::nodes::{Launch, Node};

pub struct Room {
    folder: Folder,
    /// Makes it, in a name space of its own, and then becomes the node.
    script: String,
}

impl Room {
    /// A disk in memory, on which a command is run before a node starts; `None` where this user
    /// may not mount one.
    pub fn of_memory(prepare: &str) -> Option<Self> {
        Self::of("mount -t tmpfs -o size=8m tmpfs \"$0\"", prepare)
    }

    /// A disk in a file, which can be frozen.
    pub fn of_image(prepare: &str) -> Option<Self> {
        let mount = "head -c 16000000 /dev/zero > \"$0.img\"; mkfs.ext4 -q \"$0.img\"; \
             mount -o loop \"$0.img\" \"$0\"; rm \"$0.img\"";
        Self::of(mount, prepare)
    }

    fn of(mount: &str, prepare: &str) -> Option<Self> {
        let folder = Folder::new();
        std::fs::create_dir(folder.file("disk")).unwrap();
        let room = Self {
            folder,
            script: format!("{mount}; cd \"$0\"; {prepare}; cd /; exec \"$@\""),
        };
        let tried = Command::new(UNSHARE[0])
            .args(&UNSHARE[1..])
            .args(["sh", "-ec", &format!("{mount}; exec \"$@\"")])
            .arg(room.disk())
            .arg("true")
            .stderr(Stdio::null())
            .status();
        if tried.is_ok_and(|status| status.success()) {
            return Some(room);
        }
        eprintln!("skipped: this user may not run {mount:?}");
        None
    }

    pub async fn start(&self, launch: &Launch, settings: &[(&str, &str)]) -> Node {
        self.launch(launch).start(&self.address(), settings).await
    }

    pub async fn try_start(
        &self,
        launch: &Launch,
        settings: &[(&str, &str)],
    ) -> Result<Node, String> {
        let launch = self.launch(launch);
        launch.try_start(&self.address(), settings).await
    }

    /// Another node in the same room.
    pub async fn join(&self, node: &Node, launch: &Launch, settings: &[(&str, &str)]) -> Node {
        let id = node.id().to_string();
        let launch = launch.clone().behind(&["nsenter", "-t", &id, "-m"]);
        launch.start(&self.address(), settings).await
    }

    /// Runs a command in the room of a node.
    pub fn run(&self, node: &Node, script: &str) {
        assert!(enter(node.id(), &self.disk(), script), "{script}");
    }

    /// Has every write to the disk hang until this is dropped.
    pub fn freeze(&self, node: &Node) -> Frozen {
        self.run(node, "fsfreeze -f .");
        Frozen {
            node: node.id(),
            disk: self.disk(),
        }
    }

    fn launch(&self, launch: &Launch) -> Launch {
        let disk = self.disk();
        let disk = disk.to_string_lossy();
        let words = [&UNSHARE[..], &["sh", "-ec", &self.script, &disk]].concat();
        launch.clone().behind(&words)
    }

    fn disk(&self) -> PathBuf {
        self.folder.file("disk")
    }

    fn address(&self) -> String {
        format!("sqlite:{}", self.disk().join("sessions.db").display())
    }
}

/// A disk that hangs.
pub struct Frozen {
    node: u32,
    disk: PathBuf,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // Else the node could not even be killed.
        enter(self.node, &self.disk, "fsfreeze -u .");
    }
}

/// Files that cannot be changed, not even by who has them open, until this is dropped.
pub struct Immutable(Vec<PathBuf>);

impl Immutable {
    /// `None` where this user, or the file system, cannot do that.
    pub fn files(files: &[PathBuf]) -> Option<Self> {
        let frozen = Self(files.to_vec());
        if frozen.set("+i") {
            return Some(frozen);
        }
        eprintln!("skipped: this user may not run chattr +i here");
        None
    }

    fn set(&self, flag: &str) -> bool {
        let mut chattr = Command::new("chattr");
        let chattr = chattr.arg(flag).args(&self.0).stderr(Stdio::null());
        chattr.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.set("-i");
    }
}

fn enter(node: u32, disk: &Path, script: &str) -> bool {
    let entered = Command::new("nsenter")
        .args(["-t", &node.to_string(), "-m", "sh", "-ec"])
        .arg(format!("cd \"$0\"; {script}"))
        .arg(disk)
        .status();
    entered.is_ok_and(|status| status.success())
}

/// Only root may do what is done here, and their own user name space makes nobody root enough.
const UNSHARE: [&str; 2] = ["unshare", "-m"];
