//! The `evenkeel` command: everything is in the library, see `evenkeel::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    evenkeel::cli::main()
}
