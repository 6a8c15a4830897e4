//! Reconciliation of exports: from the folders of two exports to events for `record` and `erase`.

use std::path::Path;

use local_aws::Failure;
use shared::store::{Plan, Reconciliation};

use crate::export::Export;

/// Compares an export of UserTable with one of RecordTable, in any order.
///
/// # Errors
/// An export is damaged, or the two are of one table or of different times.
pub fn reconcile(exports: [&Path; 2]) -> Result<Plan, Failure> {
    let [one, other] = exports.map(Export::open);
    let (one, other) = (one?, other?);
    if one.table() == other.table() {
        return Err(Failure::new("both exports are of one table. Give one of UserTable and one of RecordTable"));
    }
    if one.time() != other.time() {
        return Err(Failure::new(format!(
            "the exports are of {} and {}. Export both tables with one --export-time",
            one.time(),
            other.time()
        )));
    }
    let mut reconciliation = Reconciliation::default();
    for export in [&one, &other] {
        export.for_each(|item| reconciliation.take(item).map_err(Failure::new))?;
    }
    // The order of the arguments does not matter for the name of the corrections.
    Ok(reconciliation.plan(&one.id()?.min(other.id()?)))
}
