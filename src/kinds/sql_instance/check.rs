//! Whether Cloud SQL would take a manifest, as far as can be told without asking.

use crate::api::{Declared, Finding, Severity};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn check(declared: &Declared) -> Vec<Finding> {
    let mut out = Vec::new();
    region(declared, &mut out);
    let Some(settings) = declared.resource.get("settings") else {
        return out;
    };
    disk(settings, &mut out);
    unique(
        &settings["databaseFlags"],
        "name",
        "databaseFlags",
        &mut out,
    );
    let networks = &settings["ipConfiguration"]["authorizedNetworks"];
    unique(
        networks,
        "value",
        "ipConfiguration.authorizedNetworks",
        &mut out,
    );
    backups(&settings["backupConfiguration"], &mut out);
    out
}

fn finding(path: &str, message: String, limit: &str, help: &str) -> Finding {
    Finding {
        path: format!("spec.{path}"),
        message,
        limit: Some(limit.to_owned()),
        help: help.to_owned(),
        severity: Severity::Error,
    }
}

fn region(declared: &Declared, out: &mut Vec<Finding>) {
    if declared.key.location == "global" {
        out.push(finding(
            "location",
            "an instance lives in a region".to_owned(),
            "a region such as us-central1 (sqladmin v1, DatabaseInstance.region)",
            "write the region of the instance",
        ));
    }
}

fn disk(settings: &Value, out: &mut Vec<Finding>) {
    if let Some(size) = settings["dataDiskSizeGb"]
        .as_i64()
        .filter(|size| *size < 10)
    {
        out.push(finding(
            "resource.settings.dataDiskSizeGb",
            format!("a disk of {size} GB"),
            "at least 10 GB (sqladmin v1, Settings.dataDiskSizeGb)",
            "write 10 or more",
        ));
    }
}

fn unique(list: &Value, key: &str, name: &str, out: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (index, item) in list.as_array().into_iter().flatten().enumerate() {
        let found = item[key].as_str().unwrap_or_default();
        if !seen.insert(found) {
            out.push(finding(
                &format!("resource.settings.{name}[{index}]"),
                format!("{found} is declared twice"),
                &format!("members of {name} merge by {key}"),
                "keep one of them",
            ));
        }
    }
}

fn backups(backup: &Value, out: &mut Vec<Finding>) {
    let off = backup["enabled"].as_bool() == Some(false);
    if off && backup["pointInTimeRecoveryEnabled"].as_bool() == Some(true) {
        out.push(finding(
            "resource.settings.backupConfiguration.pointInTimeRecoveryEnabled",
            "point-in-time recovery without backups".to_owned(),
            "recovery starts from a backup (Google, \"Use point-in-time recovery\")",
            "enable backups, or turn point-in-time recovery off",
        ));
    }
    if let Some(time) = backup["startTime"].as_str()
        && !is_time(time)
    {
        out.push(finding(
            "resource.settings.backupConfiguration.startTime",
            format!("`{time}` is no time of day"),
            "HH:MM in UTC (sqladmin v1, BackupConfiguration.startTime)",
            "write it as \"03:00\", in quotes",
        ));
    }
}

fn is_time(text: &str) -> bool {
    let Some((hour, minute)) = text.split_once(':') else {
        return false;
    };
    let number = |text: &str, limit: u32| {
        text.len() == 2 && text.parse::<u32>().is_ok_and(|number| number < limit)
    };
    number(hour, 24) && number(minute, 60)
}
