//! What an operator remembers, for the verbs that read and ask: from its state file, or from the
//! objects of a cluster.

use super::CliError;
use super::args::Globals;
use crate::api::{Event, Key, Subject};
use crate::core::alert::Entry;
use crate::core::check::CheckRecord;
use crate::core::phase::PhaseRecord;
use crate::core::record::{Record, Revision};
use crate::core::token::Ask;
use crate::journal::{self, JournalError};

/// A reader of what an operator remembers.
pub enum View {
    File(journal::View),
    #[cfg(feature = "kubernetes")]
    Cluster(cluster::Reader),
}

/// Calls the same method of either.
macro_rules! read {
    ($view:expr, $file:ident => $from_file:expr, $cluster:ident => $from_cluster:expr) => {
        match $view {
            View::File($file) => $from_file,
            #[cfg(feature = "kubernetes")]
            View::Cluster($cluster) => $from_cluster,
        }
    };
}

impl View {
    /// What the arguments mean.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub fn open(globals: &Globals) -> Result<Self, CliError> {
        if globals.cluster.is_wanted() {
            return Self::cluster(globals);
        }
        Ok(View::File(journal::View::open(&globals.state_path())?))
    }

    #[cfg(feature = "kubernetes")]
    fn cluster(globals: &Globals) -> Result<Self, CliError> {
        Ok(View::Cluster(cluster::Reader::open(globals)?))
    }

    #[cfg(not(feature = "kubernetes"))]
    fn cluster(_: &Globals) -> Result<Self, CliError> {
        Err(CliError::new("this evenkeel was built without Kubernetes"))
    }

    /// Every record.
    ///
    /// # Errors
    /// Where it cannot be read; so for the others.
    pub fn records(&self) -> Result<Vec<Record>, JournalError> {
        read!(self, file => file.records(), cluster => cluster.records())
    }

    /// The saved states of a resource, oldest first.
    ///
    /// # Errors
    /// As [`View::records`].
    pub fn revisions(&self, key: &Key) -> Result<Vec<Revision>, JournalError> {
        read!(self, file => file.revisions(key), cluster => cluster.revisions(key))
    }

    /// What is remembered of every phase.
    ///
    /// # Errors
    /// As [`View::records`].
    pub fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
        read!(self, file => file.phases(), cluster => cluster.phases())
    }

    /// What is remembered of every check.
    ///
    /// # Errors
    /// As [`View::records`].
    pub fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
        read!(self, file => file.checks(), cluster => cluster.checks())
    }

    /// What is remembered of the Alerts. Nobody remembers them in a cluster yet.
    ///
    /// # Errors
    /// As [`View::records`].
    pub fn alerts(&self) -> Result<Vec<Entry>, JournalError> {
        read!(self, file => file.alerts(), _cluster => Ok(Vec::new()))
    }

    /// The events of an object, oldest first.
    ///
    /// # Errors
    /// As [`View::records`].
    pub fn events(&self, about: impl Into<Subject>) -> Result<Vec<Event>, JournalError> {
        let about = about.into();
        read!(self, file => file.events(about), cluster => cluster.events(about))
    }

    /// Writes a request down for the operator; the id by which it is known.
    ///
    /// # Errors
    /// Nothing was written down.
    pub fn ask(&self, about: impl Into<Subject>, ask: &Ask) -> Result<String, JournalError> {
        let about = about.into();
        read!(self, file => file.ask(about, ask).map(|id| id.to_string()),
              cluster => cluster.ask(about, ask))
    }

    /// Whether an operator runs on this now. Of a cluster that is taken for granted: it starts one
    /// anew by itself.
    #[must_use]
    pub fn operator_runs(&self) -> bool {
        read!(self, file => file.operator_runs(), _cluster => true)
    }
}

#[cfg(feature = "kubernetes")]
mod cluster {
    //! A cluster, from threads that do not wait for futures.

    use super::{
        Ask, CheckRecord, CliError, Event, Globals, JournalError, Key, PhaseRecord, Record,
        Revision, Subject,
    };
    use crate::cli::run::cluster::{access, no_cluster};
    use crate::kubernetes::{ClusterView, connect};
    use tokio::runtime::Runtime;

    /// A reader with a runtime of its own: its callers may stand in another one.
    pub struct Reader {
        runtime: Option<Runtime>,
        view: ClusterView,
    }

    impl Reader {
        pub fn open(globals: &Globals) -> Result<Self, CliError> {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .map_err(|error| CliError::new(format!("cannot start: {error}")))?;
            let access = access(globals);
            let connected = runtime.block_on(connect(&access));
            let (client, default) = connected.map_err(|why| no_cluster(&why))?;
            let mut namespaces = globals.cluster.namespace.clone();
            if namespaces.is_empty() {
                namespaces.push(default);
            }
            let selector = globals.cluster.selector.clone();
            Ok(Reader {
                view: ClusterView::new(client, namespaces, selector),
                runtime: Some(runtime),
            })
        }

        fn wait<T: Send>(
            &self,
            work: impl Future<Output = Result<T, JournalError>> + Send,
        ) -> Result<T, JournalError> {
            let gone = || JournalError::Cluster {
                object: "the cluster".to_owned(),
                why: "the reader is gone".to_owned(),
            };
            let runtime = self.runtime.as_ref().ok_or_else(gone)?;
            let done = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(work)).join());
            done.map_err(|_| gone())?
        }

        pub fn records(&self) -> Result<Vec<Record>, JournalError> {
            self.wait(self.view.records())
        }

        pub fn revisions(&self, key: &Key) -> Result<Vec<Revision>, JournalError> {
            self.wait(self.view.revisions(key))
        }

        pub fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
            self.wait(self.view.phases())
        }

        pub fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
            self.wait(self.view.checks())
        }

        pub fn events(&self, about: Subject) -> Result<Vec<Event>, JournalError> {
            self.wait(async move { self.view.events(&about).await })
        }

        pub fn ask(&self, about: Subject, ask: &Ask) -> Result<String, JournalError> {
            let nonce = jiff::Timestamp::now().to_string();
            self.wait(async move { self.view.ask(&about, ask, &nonce).await })
        }
    }

    impl Drop for Reader {
        fn drop(&mut self) {
            // Also where whoever drops it stands in a runtime.
            if let Some(runtime) = self.runtime.take() {
                runtime.shutdown_background();
            }
        }
    }
}
