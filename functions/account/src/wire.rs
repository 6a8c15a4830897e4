//! The bodies of the answers.

use serde::Serialize;
use shared::store::{ActivityPage, ActivityRow};

/// A page of the user's activity.
#[derive(Serialize)]
pub(crate) struct Listed {
    success: bool,
    activity: Vec<ActivityView>,
    next: Option<String>,
}

#[derive(Serialize)]
struct ActivityView {
    id: String,
    r#type: String,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<String>,
}

impl Listed {
    pub(crate) fn of(page: ActivityPage) -> Listed {
        let ActivityPage { rows, next } = page;
        Listed { success: true, activity: rows.into_iter().map(view).collect(), next }
    }
}

fn view(row: ActivityRow) -> ActivityView {
    let ActivityRow { id, kind, at, session, way, device, prefix, reason, fields } = row;
    let time = at.to_string();
    ActivityView { id, r#type: kind, time, session, method: way, device, ip_prefix: prefix, reason, fields }
}
