//! Sessions with a database: who is let in, and how long a query takes.

use crate::emulator::world::World;

/// Whether the next session comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Admission {
    Admitted,
    /// Every slot is taken.
    Full,
    /// The server takes nobody just now.
    Down,
    WrongPassword,
}

/// The role of the scenario's services. Other roles need no password: they are for probes.
const ROLE: &str = "netra";

/// Whether a role must show a password.
pub(in crate::emulator) fn needs_password(role: &str) -> bool {
    role == ROLE
}

impl World {
    /// Lets a session in, which must be given back with [`World::end_session`].
    pub fn begin_session(&mut self, database: &str, role: &str, password: &str) -> Admission {
        if needs_password(role) && !self.is_password(database, password) {
            return Admission::WrongPassword;
        }
        let load = self.load();
        let Some(load) = load.as_ref().and_then(|load| load.databases.get(database)) else {
            return Admission::Down;
        };
        if !load.works {
            return Admission::Down;
        }
        let held = self
            .traffic
            .sessions
            .entry(database.to_owned())
            .or_default();
        if load.open().saturating_add(*held) >= load.limit {
            return Admission::Full;
        }
        *held += 1;
        Admission::Admitted
    }

    pub fn end_session(&mut self, database: &str) {
        if let Some(held) = self.traffic.sessions.get_mut(database) {
            *held = held.saturating_sub(1);
        }
    }

    /// Seconds of the next query; None when the server goes down under it.
    pub fn query(&mut self, database: &str) -> Option<f64> {
        let attempt = self.traffic.attempt(&format!("query {database}"));
        let load = self.load()?;
        let load = load.databases.get(database).filter(|load| load.works)?;
        Some(attempt.takes(load.query, 0.1))
    }

    /// `max_connections`, and how many connections are open.
    pub fn connections(&mut self, database: &str) -> (u32, u32) {
        let held = self
            .traffic
            .sessions
            .get(database)
            .copied()
            .unwrap_or_default();
        let load = self.load();
        let open = load.and_then(|load| Some(load.databases.get(database)?.open()));
        let scene = self.scene_at(self.clock);
        let database = scene.and_then(|scene| scene.databases.get(database));
        let max = database.map_or(0, |database| database.max_connections);
        (max, open.unwrap_or_default().saturating_add(held))
    }

    /// Whether it is the newest version of the secret that the services read theirs from.
    fn is_password(&self, database: &str, password: &str) -> bool {
        let project = database.split('/').nth(1).unwrap_or_default();
        let name = format!("projects/{project}/secrets/netra-db-password");
        self.newest_secret(&name)
            .is_some_and(|secret| secret == password)
    }
}
