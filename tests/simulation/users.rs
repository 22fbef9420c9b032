//! The directory of the application: passwords and roles, as numbers that grow.

use std::sync::atomic::Ordering;

use tower_jwt_session::UserId;

use crate::node::Version;

#[derive(Debug)]
pub struct Users(Vec<User>);

#[derive(Debug)]
pub struct User {
    pub id: UserId,
    pub password: Version,
    pub roles: Version,
}

impl Users {
    pub fn new(count: usize) -> Self {
        let user = |number| User {
            id: UserId::new(format!("user-{number}")).expect("a good name"),
            password: Version::new(0),
            roles: Version::new(0),
        };
        Self((0..count).map(user).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn nth(&self, number: usize) -> &User {
        &self.0[number]
    }

    pub fn of(&self, id: &UserId) -> &User {
        let found = self.0.iter().find(|user| user.id == *id);
        found.expect("nobody else is asked about")
    }
}

impl User {
    pub fn password(&self) -> u64 {
        self.password.load(Ordering::Relaxed)
    }
}
