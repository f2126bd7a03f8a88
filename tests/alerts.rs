//! Alerts: what people are told, and that they are told it once.

#[path = "alerts/alertmanager.rs"]
mod alertmanager;
#[path = "alerts/book.rs"]
mod book;
#[path = "alerts/desk.rs"]
mod desk;
#[path = "alerts/episodes.rs"]
mod episodes;
#[path = "alerts/judge.rs"]
mod judge;
#[path = "alerts/providers.rs"]
mod providers;
#[path = "alerts/receiver.rs"]
mod receiver;
#[path = "alerts/support.rs"]
mod support;
