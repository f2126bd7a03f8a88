//! Golden transcripts: what people type, and all that they see. `TRYCMD=overwrite cargo test --test
//! cases` writes them anew; read the difference before it is committed.

#[test]
fn transcripts() {
    // A state file of the repository must not show in them.
    let empty = tempfile::TempDir::new().unwrap();
    let state = empty.path().join("state.db");
    trycmd::TestCases::new()
        .env("EVENKEEL_STATE", state.to_string_lossy())
        .env("EVENKEEL_GCP", "emulator")
        .env("COLUMNS", "100")
        .case("tests/cases/*.md");
}
