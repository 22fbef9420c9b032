//! The servers that are killed.

use crate::kills::Server;
use crate::postgres::Cluster;
use crate::redis_server;

impl Server for Cluster {
    fn kill(&mut self) {
        self.kill_all();
    }

    fn revive(&mut self) {
        self.resume();
    }
}

impl Server for redis_server::Server {
    fn kill(&mut self) {
        redis_server::Server::kill(self);
    }

    fn revive(&mut self) {
        self.start();
    }
}
