//! The documented costs follow from the template, the price file and the measured units of a login. `cargo bench -p tests --bench
//! figures -- bill --write` updates them.

use local_aws::template::find_root;
use tests::costs::{Costs, Login, custom_metrics};

#[tokio::test]
async fn the_documented_costs_are_computed() {
    let page = std::fs::read_to_string(find_root().unwrap().join("docs/benchmarks.md")).unwrap();
    let section = |name: &str| {
        let (_, rest) = page.split_once(&format!("<!-- begin {name} -->\n\n")).unwrap();
        rest.split_once(&format!("\n<!-- end {name} -->")).unwrap().0
    };
    let metrics = custom_metrics().await;
    let costs = Costs::new(Login::measured(), metrics);
    assert_eq!(section("bill"), costs.stack.bill(metrics));
    assert_eq!(section("costs"), costs.tables());

    let readme = std::fs::read_to_string(find_root().unwrap().join("README.md")).unwrap();
    let (login, idle, [busy, _]) = (costs.of_a_million(), costs.stack.idle(), costs.stack.month(metrics));
    for sentence in [
        format!("sign-ins, each with two refreshes and a sign-out, cost about ${login:.0} at AWS list prices"),
        format!("An idle stack costs about ${idle:.0} a month, and a busy one about ${busy:.0}, besides its sign-ins"),
    ] {
        assert!(readme.contains(&sentence), "README.md lacks: {sentence}");
    }
}
