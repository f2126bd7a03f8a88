# `just` lists the recipes; `just check` is what CI runs.

default:
    @just --list

# Everything that must hold for a change to land.
check:
    bash .ci/run

# The quickstart, on the embedded emulator.
quickstart:
    cargo run --release -- run manifests/quickstart --gcp emulator

# More seeds of the simulation: `just seeds 10000`.
seeds count="10000":
    EVENKEEL_SEEDS={{count}} cargo test --test sim -- --nocapture

# Replays one seed with its timeline.
replay seed:
    EVENKEEL_SEED={{seed}} cargo test --test sim -- --nocapture

# Property tests over other cases than the usual ones: `just explore core_checks 42`.
explore test seed cases="100000":
    PROPTEST_RNG_SEED={{seed}} PROPTEST_CASES={{cases}} cargo test --test {{test}}

# Writes crds/ again after a change of src/api.
crds:
    cargo run -- crds --output crds

# Licences, bans and sources of all dependencies.
deny:
    cargo deny check bans licenses sources
