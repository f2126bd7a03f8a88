//! Where the sets of a run come from: the first, and those after it.

use crate::cli::args::{Globals, RunArgs};
use crate::cli::config::Config;
use crate::cli::{CliError, Exit, load};
#[cfg(feature = "git")]
use crate::cli::{config, git, out};
#[cfg(feature = "git")]
use crate::secrets::{LocalSecrets, Secrets};
use crate::serve::Hook;
#[cfg(feature = "git")]
use crate::source::git::{Bell, Follow, Git};
use crate::source::{Errors, Input, Set, Watch};
#[cfg(feature = "git")]
use std::sync::Arc;

/// The first set, and where others come from.
pub struct Opened {
    pub set: Set,
    /// Why it is not the newest: it is the one that was in force before.
    pub trouble: Option<Errors>,
    /// The source for people.
    pub name: String,
    pub manifests: Manifests,
    /// Who is told when somebody pushes.
    pub hook: Option<Hook>,
}

/// Where sets come from, after the first.
pub enum Manifests {
    /// The first is all there is.
    Once,
    Files(Vec<Input>, Box<Watch>),
    #[cfg(feature = "git")]
    Git(Follow),
}

impl Manifests {
    /// The next set, or what is wrong with it; it may be the same as before. Safe to drop and call
    /// again.
    pub async fn next(&mut self) -> Result<Set, Errors> {
        match self {
            Manifests::Once => std::future::pending().await,
            Manifests::Files(inputs, watch) => {
                watch.changed().await;
                load::load(inputs)
            }
            #[cfg(feature = "git")]
            Manifests::Git(follow) => follow.next().await,
        }
    }
}

/// Loads the first set: of the paths, else of the repository that is given or configured.
///
/// # Errors
/// What is wrong with it, after it was printed.
pub async fn open(globals: &Globals, args: &RunArgs, config: &Config) -> Result<Opened, CliError> {
    if is_git(args, config) {
        return of_git(globals, args, config).await;
    }
    if args.paths.is_empty() {
        return Err(CliError::new("which manifests? No PATH is given")
            .hint("evenkeel run PATH, --git-url URL for a repository, or --source kubernetes for the objects of a cluster")
            .exit(Exit::BadInput));
    }
    let inputs = load::inputs(&args.paths);
    let set = load::load_or_explain(&inputs, Exit::BadInput)?;
    // stdin is read once; everything else may change.
    let watches = args.watch_source && !args.once && !inputs.contains(&Input::Stdin);
    let manifests = if watches {
        let watch = Watch::new(&inputs);
        Manifests::Files(inputs, Box::new(watch))
    } else {
        Manifests::Once
    };
    Ok(Opened {
        set,
        trouble: None,
        name: load::names(&args.paths),
        manifests,
        hook: None,
    })
}

#[cfg(feature = "git")]
fn is_git(args: &RunArgs, config: &Config) -> bool {
    git::is_wanted(args, config)
}

#[cfg(not(feature = "git"))]
fn is_git(args: &RunArgs, _: &Config) -> bool {
    args.git.is_given()
}

#[cfg(not(feature = "git"))]
async fn of_git(_: &Globals, _: &RunArgs, _: &Config) -> Result<Opened, CliError> {
    std::future::ready(Err(CliError::new("this evenkeel was built without git")
        .hint("build it with the feature `git`, which is there by default")
        .exit(Exit::BadInput)))
    .await
}

#[cfg(feature = "git")]
async fn of_git(globals: &Globals, args: &RunArgs, config: &Config) -> Result<Opened, CliError> {
    let settings = git::settings(globals, &args.git, config)?;
    let name = match settings.path.as_str() {
        "" => settings.address.to_string(),
        path => format!("{} {path}", settings.address),
    };
    let secrets: Arc<dyn Secrets> = Arc::new(LocalSecrets::new(args.secrets.clone()));
    let bell = Bell::default();
    let hook = hook(args, config, &secrets, &bell)?;
    let git = Git::new(settings, secrets, Arc::new(load::KindRules));
    let told = |errors: &Errors, exit| {
        out::error_text(&errors.render(true));
        CliError::said(exit)
    };
    let started = git.start().await.map_err(|trouble| {
        let exit = if trouble.passing {
            Exit::Failure
        } else {
            Exit::BadInput
        };
        told(&trouble.errors, exit)
    })?;
    if let Some(trouble) = started.trouble.as_ref().filter(|_| args.once) {
        // Once is about what is there now, not about what was.
        return Err(told(trouble, Exit::Failure));
    }
    for warning in &started.set.warnings {
        out::error_text(&format!("{}\n\n", warning.render(true)));
    }
    let manifests = if args.watch_source && !args.once {
        Manifests::Git(git.follow(&started, bell))
    } else {
        Manifests::Once
    };
    Ok(Opened {
        set: started.set,
        trouble: started.trouble,
        name,
        manifests,
        hook,
    })
}

#[cfg(feature = "git")]
fn hook(
    args: &RunArgs,
    config: &config::Config,
    secrets: &Arc<dyn Secrets>,
    bell: &Bell,
) -> Result<Option<Hook>, CliError> {
    let Some(secret) = git::webhook(&args.git, config) else {
        return Ok(None);
    };
    if args.listen.or(config.listen).is_none() {
        return Err(CliError::new("a webhook is wanted, and nothing is served")
            .hint("give an address with --listen")
            .exit(Exit::BadInput));
    }
    let bell = bell.clone();
    Ok(Some(Hook {
        secret,
        secrets: Arc::clone(secrets),
        ring: Box::new(move || bell.ring()),
    }))
}
