//! The only room that speaks HTTP to Google.
//!
//! Reads are repeated with backoff, writes never: a write is one request and one answer, and it
//! needs a [`client::Proof`]. Every failure leaves as a [`crate::core::error::Fault`] with secrets
//! removed. What is absent: decisions, manifests, files (but for credentials) and printing.
//!
//! From the bottom up: [`http`] is the port and [`live`] its real implementation; [`auth`],
//! [`endpoint`] and
//! [`access`] say who calls where; [`error`], [`google_error`] and [`redact`]
//! turn replies into faults; [`budget`], [`counts`], [`clock`] and [`entropy`] serve [`client`];
//! [`service`] is what the engine sees, with one thin file per API ([`vpcaccess`], [`compute`],
//! [`health_checks`], [`ssl_certificates`], [`certificate_manager`], [`run`], [`sqladmin`]) and
//! what they share ([`pages`], [`aggregated`]); [`monitoring`], [`logging`] and [`backend_health`]
//! only measure.

pub mod access;
mod aggregated;
pub mod auth;
pub mod backend_health;
pub mod budget;
pub mod certificate_manager;
pub mod client;
pub mod clock;
pub mod compute;
mod compute_operation;
pub mod counts;
mod credentials;
pub mod endpoint;
pub mod entropy;
pub mod error;
pub mod google_error;
pub mod health_checks;
pub mod http;
pub mod live;
pub mod logging;
pub mod monitoring;
pub mod operation;
mod pages;
pub mod path;
pub mod redact;
pub mod run;
pub mod secrets;
pub mod service;
pub mod sqladmin;
pub mod ssl_certificates;
pub mod vpcaccess;

#[cfg(test)]
mod testing;
