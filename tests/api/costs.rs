//! The documented costs follow from the template and the price file. `cargo bench -p tests --bench figures -- bill --write`
//! updates them.

use local_aws::template::find_root;
use tests::costs::{Stack, custom_metrics};

fn page() -> String {
    std::fs::read_to_string(find_root().unwrap().join("docs/benchmarks.md")).unwrap()
}

#[tokio::test]
async fn the_monthly_bill_is_computed() {
    let (bill, page) = (Stack::read().bill(custom_metrics().await), page());
    let (_, rest) = page.split_once("<!-- begin bill -->\n\n").unwrap();
    let (documented, _) = rest.split_once("\n<!-- end bill -->").unwrap();
    assert_eq!(documented, bill);
}

/// The other rows of the table are measured.
#[test]
fn the_templates_part_of_a_login_is_computed() {
    let page = page();
    for line in Stack::read().of_a_login() {
        let row = format!("| {} | {} | {:.2} |\n", line.name, line.counted, line.dollars * 1e6);
        assert!(page.contains(&row), "docs/benchmarks.md lacks {row}");
    }
}
