//! The body of the answer about sources.

use serde::Serialize;
use shared::history::Source;
use shared::store::UserSource;

/// The user's sources.
#[derive(Serialize)]
pub(crate) struct Listed {
    success: bool,
    sources: Vec<SourceView>,
}

#[derive(Serialize)]
struct SourceView {
    source: String,
    category: String,
    url: String,
    method: String,
    time: String,
}

impl Listed {
    pub(crate) fn of(sources: Vec<UserSource>) -> Listed {
        Listed { success: true, sources: sources.into_iter().map(view).collect() }
    }
}

fn view(found: UserSource) -> SourceView {
    let UserSource { source: Source { url, name, category }, at, way } = found;
    SourceView { source: name, category, url, method: way, time: at.to_string() }
}
