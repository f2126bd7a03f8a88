//! Small deterministic tests of what seeds have found.
