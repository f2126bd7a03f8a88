//! Manifests from git, from real servers on loopback. Looks come from rings and news are waited for:
//! nothing here waits for time.

#[path = "git/https.rs"]
mod https;
#[path = "git/repository.rs"]
mod repository;

use evenkeel::api::SecretRef;
use evenkeel::secrets::LocalSecrets;
use evenkeel::source::git::{Bell, Follow, Git, Mode, Reference, Settings, Verify};
use evenkeel::source::{Errors, NoCheck, Set};
use repository::{Daemon, Repository, health_check, is_there};
use std::sync::Arc;
use std::time::Duration;

/// Longer than anything takes, even on a busy machine; only a hang reaches it.
const PATIENCE: Duration = Duration::from_mins(1);
const TOKEN: &str = "keel-token-7f3a";

fn git(settings: Settings) -> Git {
    let environment = |name: &str| (name == "TOKEN").then(|| TOKEN.to_owned());
    let secrets = LocalSecrets::with_environment(None, Box::new(environment));
    Git::new(settings, Arc::new(secrets), Arc::new(NoCheck))
}

/// A repository that is followed, from its first commit on.
struct Followed {
    repository: Repository,
    bell: Bell,
    follow: Follow,
}

impl Followed {
    async fn new(adapt: impl FnOnce(&Repository, &mut Settings)) -> Followed {
        let repository = Repository::new();
        let mut settings = repository.settings(&repository.file_url());
        adapt(&repository, &mut settings);
        let git = git(settings);
        let started = git.start().await.unwrap();
        let bell = Bell::default();
        let follow = git.follow(&started, bell.clone());
        Followed {
            repository,
            bell,
            follow,
        }
    }

    async fn look(&mut self) -> Result<Set, Errors> {
        look(&self.bell, &mut self.follow).await
    }

    /// The next look is refused with these words, and nothing comes into force.
    async fn refused(&mut self, words: &[&str]) {
        let errors = self.look().await.unwrap_err();
        let text = errors.render(false);
        for word in words {
            assert!(text.contains(word), "no `{word}` in:\n{text}");
        }
    }

    /// The next look gives this commit.
    async fn taken(&mut self, commit: &str) -> Set {
        let set = self.look().await.unwrap();
        assert_eq!(set.revision, format!("main@sha1:{commit}"));
        set
    }
}

async fn look(bell: &Bell, follow: &mut Follow) -> Result<Set, Errors> {
    bell.ring();
    tokio::time::timeout(PATIENCE, follow.next()).await.unwrap()
}

fn interval(set: &Set) -> i64 {
    let fields = evenkeel::core::fields::flatten(&set.declared[0].resource);
    fields["checkIntervalSec"].as_i64().unwrap()
}

#[tokio::test]
async fn a_commit_is_a_set_with_its_places_and_its_revision() {
    let repository = Repository::new();
    for daemon in [None, Daemon::start(repository.folder.path())] {
        let url = daemon.as_ref().map(|daemon| daemon.url("keel"));
        let url = url.unwrap_or_else(|| repository.file_url());
        let git = git(repository.settings(&url));
        let started = git.start().await.unwrap();
        let head = repository.head();
        assert_eq!(started.set.revision, format!("main@sha1:{head}"));
        let place = format!("keel@{}:infra/a.yaml", &head[..7]);
        assert_eq!(started.set.declared[0].origin.file, place);

        // What comes after is fetched on top, and loaded as a whole.
        let bell = Bell::default();
        let mut follow = git.follow(&started, bell.clone());
        repository.write("infra/a.yaml", &health_check("a", 20));
        repository.write("infra/deep/b.yaml", &health_check("b", 20));
        repository.write("infra/notes.md", "not a manifest");
        repository.write("elsewhere/c.yaml", "not: ours");
        let second = repository.commit("second");
        let set = look(&bell, &mut follow).await.unwrap();
        assert_eq!(set.revision, format!("main@sha1:{second}"));
        assert_eq!(set.declared.len(), 2);
        assert_eq!(interval(&set), 20);
        repository.git(&["reset", "--quiet", "--hard", &head]);
    }
}

#[tokio::test]
async fn a_branch_a_tag_and_a_commit() {
    let repository = Repository::new();
    let first = repository.head();
    repository.git(&["tag", "-a", "v1", "-m", "one"]);
    repository.write("infra/a.yaml", &health_check("a", 20));
    let second = repository.commit("second");
    for (reference, revision) in [
        ("main", format!("main@sha1:{second}")),
        ("refs/heads/main", format!("main@sha1:{second}")),
        ("v1", format!("v1@sha1:{first}")),
        (&first, format!("sha1:{first}")),
    ] {
        let mut settings = repository.settings(&repository.file_url());
        settings.reference = reference.parse::<Reference>().unwrap();
        let started = git(settings).start().await.unwrap();
        assert_eq!(started.set.revision, revision);
    }
    let mut settings = repository.settings(&repository.file_url());
    settings.reference = "nowhere".parse().unwrap();
    let trouble = git(settings).start().await.unwrap_err();
    let text = trouble.errors.render(false);
    assert!(text.contains("no branch and no tag `nowhere`"), "{text}");
}

#[tokio::test]
async fn a_history_that_is_rewritten_is_refused_until_it_goes_on_or_is_allowed() {
    let mut followed = Followed::new(|_, _| {}).await;
    let repository = &followed.repository;
    repository.write("infra/a.yaml", &health_check("a", 20));
    let second = repository.commit("second");
    followed.taken(&second).await;

    // Somebody else's history in its place, as a forced push leaves it.
    let repository = &followed.repository;
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repository.write("infra/a.yaml", &health_check("a", 30));
    let forced = repository.commit("forced");
    followed
        .refused(&["history was rewritten", &second[..7], "--git-allow-force"])
        .await;

    // It lasts through a restart, with the set from before in force.
    let settings = followed
        .repository
        .settings(&followed.repository.file_url());
    let started = git(settings.clone()).start().await.unwrap();
    assert_eq!(started.set.revision, format!("main@sha1:{second}"));
    assert_eq!(interval(&started.set), 20);
    let trouble = started.trouble.unwrap().render(false);
    assert!(trouble.contains("history was rewritten"), "{trouble}");

    // Allowed, it is taken.
    let allowed = Settings {
        require_fast_forward: false,
        ..settings
    };
    let started = git(allowed).start().await.unwrap();
    assert_eq!(started.set.revision, format!("main@sha1:{forced}"));
    assert!(started.trouble.is_none());
}

#[tokio::test]
async fn a_rewritten_history_that_is_put_back_is_taken() {
    let mut followed = Followed::new(|_, _| {}).await;
    let first = followed.repository.head();
    followed
        .repository
        .git(&["checkout", "--quiet", "--orphan", "other"]);
    followed
        .repository
        .write("infra/a.yaml", &health_check("a", 30));
    followed.repository.commit("unrelated");
    followed.repository.git(&["branch", "--force", "main"]);
    followed.refused(&["history was rewritten"]).await;
    followed
        .repository
        .git(&["branch", "--force", "main", &first]);
    followed.taken(&first).await;
}

#[tokio::test]
async fn a_commit_that_loads_nothing_changes_nothing() {
    let mut followed = Followed::new(|_, _| {}).await;

    // A broken file, with its place in the commit.
    followed.repository.write("infra/a.yaml", "kind: [");
    let broken = followed.repository.commit("broken");
    let place = format!("keel@{}:infra/a.yaml", &broken[..7]);
    followed.refused(&[&place]).await;

    // All files deleted: first the folder stays with something else in it, then it goes too.
    followed.repository.git(&["rm", "--quiet", "infra/a.yaml"]);
    followed.repository.write("infra/README", "empty");
    followed.repository.commit("nothing left");
    followed.refused(&["no manifests in"]).await;
    followed.repository.git(&["rm", "--quiet", "infra/README"]);
    followed.repository.commit("no folder left");
    followed.refused(&["infra does not exist"]).await;

    // The branch itself goes, and comes back mended.
    followed.repository.git(&["branch", "-m", "main", "away"]);
    followed.refused(&["no branch and no tag `main`"]).await;
    followed.repository.git(&["branch", "-m", "away", "main"]);
    followed
        .repository
        .write("infra/a.yaml", &health_check("a", 40));
    let mended = followed.repository.commit("mended");
    assert_eq!(interval(&followed.taken(&mended).await), 40);
}

#[tokio::test]
async fn a_clone_does_not_grow_without_end_and_remembers() {
    let mut followed = Followed::new(|_, _| {}).await;
    let first = followed.repository.head();
    // Each fetch leaves a pack; past 64 of them the clone is made anew.
    let mut last = String::new();
    for number in 0..70 {
        last = followed.repository.commit(&number.to_string());
        followed.taken(&last).await;
    }
    let cache = followed.repository.folder.path().join("cache");
    let clones: Vec<_> = std::fs::read_dir(cache).unwrap().collect();
    assert_eq!(clones.len(), 1, "nothing is left beside it: {clones:?}");
    let packs = clones[0].as_ref().unwrap().path().join("objects/pack");
    assert!(std::fs::read_dir(packs).unwrap().count() < 2 * 64);
    let back = ["branch", "--force", "other", &first];
    followed.repository.git(&back);
    followed.repository.git(&["checkout", "--quiet", "other"]);
    followed.repository.git(&["branch", "--force", "main"]);
    followed
        .refused(&["history was rewritten", &last[..7]])
        .await;
}

#[tokio::test]
async fn links_submodules_and_large_files_are_refused_by_name() {
    let mut followed = Followed::new(|_, _| {}).await;
    let link = followed.repository.path().join("infra/link.yaml");
    std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
    followed.repository.commit("a link");
    followed
        .refused(&["infra/link.yaml is a symbolic link"])
        .await;
    std::fs::remove_file(&link).unwrap();

    let head = followed.repository.head();
    let entry = format!("160000,{head},infra/module");
    followed
        .repository
        .git(&["rm", "--quiet", "--cached", "infra/link.yaml"]);
    followed
        .repository
        .git(&["update-index", "--add", "--cacheinfo", &entry]);
    followed
        .repository
        .git(&["commit", "--quiet", "-m", "a submodule"]);
    followed.refused(&["infra/module is a submodule"]).await;
    followed
        .repository
        .git(&["rm", "--quiet", "--cached", "infra/module"]);

    followed
        .repository
        .write("infra/large.yaml", &"#".repeat(1024 * 1024 + 1));
    followed.repository.commit("a large file");
    followed
        .refused(&["infra/large.yaml is larger than 1 MiB"])
        .await;
    followed
        .repository
        .git(&["rm", "--quiet", "infra/large.yaml"]);
    let small = followed.repository.commit("small again");
    followed.taken(&small).await;
}

#[tokio::test]
async fn a_set_over_the_limit_is_refused() {
    let mut followed = Followed::new(|_, _| {}).await;
    let filling = "#".repeat(1024 * 1024);
    for index in 0..33 {
        let path = format!("infra/{index}.yaml");
        followed.repository.write(&path, &filling);
    }
    followed.repository.commit("33 MiB");
    followed.refused(&["the set is too large"]).await;
}

/// A key of ssh, and the file of those who may sign.
fn ssh_key(repository: &Repository, name: &str) -> std::path::PathBuf {
    let key = repository.folder.path().join(name);
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    key
}

fn sign_with(repository: &Repository, key: &std::path::Path) {
    repository.git(&["config", "gpg.format", "ssh"]);
    repository.git(&["config", "user.signingkey", &key.display().to_string()]);
}

#[tokio::test]
async fn only_commits_signed_by_an_allowed_key_of_ssh_are_taken() {
    if !is_there("bash", &["-c", "command -v ssh-keygen"]) {
        return;
    }
    let allow = |repository: &Repository, settings: &mut Settings| {
        let key = ssh_key(repository, "known");
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        let signers = repository.folder.path().join("signers");
        std::fs::write(&signers, format!("dev@example.com {public}")).unwrap();
        sign_with(repository, &key);
        repository.commit_with("signed", &["-S"]);
        settings.verify = Some(Verify {
            mode: Mode::Ssh,
            keys: signers,
        });
    };
    let mut followed = Followed::new(allow).await;
    followed.repository.commit("unsigned");
    followed.refused(&["is not signed"]).await;

    let stranger = ssh_key(&followed.repository, "stranger");
    sign_with(&followed.repository, &stranger);
    followed.repository.commit_with("a stranger's", &["-S"]);
    followed.refused(&["a key that is not allowed"]).await;

    let known = followed.repository.folder.path().join("known");
    sign_with(&followed.repository, &known);
    let signed = followed.repository.commit_with("signed again", &["-S"]);
    followed.taken(&signed).await;

    // A signature that belongs to other content.
    followed.repository.commit_with("signed third", &["-S"]);
    let raw = followed.repository.git(&["cat-file", "commit", "HEAD"]);
    let forged = raw.replace("signed third", "signed, they say") + "\n";
    let file = followed.repository.folder.path().join("forged");
    std::fs::write(&file, forged).unwrap();
    let file = file.display().to_string();
    let forged = ["hash-object", "-t", "commit", "-w", &file];
    let forged = followed.repository.git(&forged);
    let put = ["update-ref", "refs/heads/main", &forged];
    followed.repository.git(&put);
    followed.refused(&["carries a signature that"]).await;
}

/// A key of GPG in the developer's ring, exported.
fn gpg_key(repository: &Repository, name: &str) -> std::path::PathBuf {
    let home = repository.folder.path().join("gpg");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let gpg = |arguments: &[&str]| {
        let run = std::process::Command::new("gpg")
            .arg("--homedir")
            .arg(&home)
            .args(["--batch", "--quiet", "--passphrase", ""])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "gpg {arguments:?}: {said}");
        run.stdout
    };
    gpg(&["--quick-generate-key", name, "ed25519", "sign", "never"]);
    let public = repository.folder.path().join(format!("{name}.asc"));
    std::fs::write(&public, gpg(&["--export", "--armor", name])).unwrap();
    public
}

#[tokio::test]
async fn only_commits_signed_by_a_known_key_of_gpg_are_taken() {
    if !is_there("gpg", &["--version"]) {
        return;
    }
    let allow = |repository: &Repository, settings: &mut Settings| {
        let keys = gpg_key(repository, "known@example.com");
        gpg_key(repository, "stranger@example.com");
        repository.commit_with("signed", &["-Sknown@example.com"]);
        settings.verify = Some(Verify {
            mode: Mode::Gpg,
            keys,
        });
    };
    let mut followed = Followed::new(allow).await;
    followed.repository.commit("unsigned");
    followed.refused(&["is not signed"]).await;
    let stranger = "-Sstranger@example.com";
    followed.repository.commit_with("a stranger's", &[stranger]);
    followed
        .refused(&["a key that the operator does not know"])
        .await;
    let signed = followed
        .repository
        .commit_with("signed again", &["-Sknown@example.com"]);
    followed.taken(&signed).await;
    let home = followed.repository.folder.path().join("gpg");
    let _ = std::process::Command::new("gpgconf")
        .args(["--homedir", &home.display().to_string(), "--kill", "all"])
        .status();
}

#[tokio::test]
async fn a_server_that_is_down_keeps_the_set_and_is_asked_again() {
    let repository = Repository::new();
    let Some(mut daemon) = Daemon::start(repository.folder.path()) else {
        return;
    };
    let settings = repository.settings(&daemon.url("keel"));
    let following = git(settings.clone());
    let started = following.start().await.unwrap();
    let first = started.set.revision.clone();
    let bell = Bell::default();
    let mut follow = following.follow(&started, bell.clone());

    daemon.stop();
    let errors = look(&bell, &mut follow).await.unwrap_err();
    let text = errors.render(false);
    assert!(
        text.contains("cannot be fetched") && text.contains("(since 20"),
        "{text}"
    );
    let again = look(&bell, &mut follow).await.unwrap_err();
    assert_eq!(again, errors, "it is the same trouble, since the same time");

    // An operator that starts now goes on with what was in force.
    let restarted = git(settings).start().await.unwrap();
    assert_eq!(restarted.set.revision, first);
    assert!(restarted.trouble.is_some());

    daemon.start_again();
    repository.write("infra/a.yaml", &health_check("a", 50));
    let second = repository.commit("meanwhile");
    let set = look(&bell, &mut follow).await.unwrap();
    assert_eq!(set.revision, format!("main@sha1:{second}"));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_at_the_deadline() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let repository = Repository::new();
    let mut settings = repository.settings(&format!("git://{}/keel", silent.local_addr().unwrap()));
    settings.deadline = Duration::from_millis(200);
    let git = git(settings);
    let first = git.start().await.unwrap_err();
    assert!(first.passing);
    let text = first.errors.render(false);
    assert!(text.contains("no answer within"), "{text}");
    // The look that hangs keeps no thread busy for each try.
    let second = git.start().await.unwrap_err().errors.render(false);
    assert!(second.contains("still hangs"), "{second}");
    // It ends where the connection does.
    drop(silent.accept().await.unwrap());
}

#[tokio::test]
async fn https_with_a_token() {
    let repository = Repository::new();
    let Some(server) = https::Server::start(repository.folder.path(), "keel", TOKEN).await else {
        return;
    };
    let mut settings = repository.settings(&server.url("keel/.git"));
    settings.ca = Some(server.ca.clone());
    let token = |name: &str| {
        Some(SecretRef {
            env: Some(name.to_owned()),
            ..SecretRef::default()
        })
    };
    // No token, one that is not there, and one that is wrong.
    let refused = git(settings.clone()).start().await.unwrap_err();
    let text = refused.errors.render(false);
    assert!(text.contains("does not let this operator in"), "{text}");
    settings.token = token("NONE");
    let refused = git(settings.clone()).start().await.unwrap_err();
    let text = refused.errors.render(false);
    assert!(
        text.contains("environment variable NONE is not there"),
        "{text}"
    );
    settings.token = token("TOKEN");
    settings.username = "somebody".to_owned();
    let refused = git(settings.clone()).start().await.unwrap_err();
    let text = refused.errors.render(false);
    assert!(text.contains("does not let this operator in"), "{text}");
    assert!(!text.contains(TOKEN), "{text}");

    settings.username = "keel".to_owned();
    let git = git(settings.clone());
    let started = git.start().await.unwrap();
    assert_eq!(started.set.declared.len(), 1);
    let bell = Bell::default();
    let mut follow = git.follow(&started, bell.clone());
    let second = repository.commit("second");
    let set = look(&bell, &mut follow).await.unwrap();
    assert_eq!(set.revision, format!("main@sha1:{second}"));

    // A certificate of nobody that is trusted.
    settings.ca = None;
    settings.cache = repository.folder.path().join("another");
    let refused = self::git(settings).start().await.unwrap_err();
    assert!(refused.passing);
}
