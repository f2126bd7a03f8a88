//! A faithful GCP in one process.
