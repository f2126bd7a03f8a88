//! The pieces, in the order of a run: [`script`] draws what people and others do, [`faults`] how
//! the world misbehaves, [`world`] is that world, [`run`] goes through the script, [`trace`] keeps
//! what happened, and [`checkers`] judge it from the outside.

mod body;
mod checkers;
mod content;
mod faults;
mod fleet;
mod forged;
mod forged_gates;
mod forged_kinds;
mod honest;
mod journal;
mod kinds;
mod managed;
mod many;
mod operator;
mod people;
mod prober;
mod proofs;
mod regressions;
mod rotation;
mod run;
mod script;
mod set;
mod timeline;
mod trace;
mod wire;
mod world;
