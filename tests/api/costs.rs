//! The documented costs follow from the template, the price file and the measured units of a login. `cargo bench -p tests --bench
//! figures -- bill --write` updates them.

use local_aws::template::find_root;
use tests::costs::{Costs, Followed, Login, Prices, custom_metrics};

#[tokio::test]
async fn the_documented_costs_are_computed() {
    let page = std::fs::read_to_string(find_root().unwrap().join("docs/benchmarks.md")).unwrap();
    let section = |name: &str| {
        let (_, rest) = page.split_once(&format!("<!-- begin {name} -->\n\n")).unwrap();
        rest.split_once(&format!("\n<!-- end {name} -->")).unwrap().0
    };
    let metrics = custom_metrics().await;
    let costs = Costs::new(Login::measured(), metrics, Followed::count().await);
    assert_eq!(section("bill"), costs.stack.bill(metrics));
    assert_eq!(section("costs"), costs.tables());
    assert_eq!(section("stream"), costs.followed.tables());

    // In hundredths of a dollar for a million.
    let cents = |dollars: f64| (dollars * 100.0).round();
    let counted = Prices::read().counted.sign_in * 1e6;
    assert_eq!(cents(counted), cents(costs.of_a_million()), "docs/prices.toml, counted.sign_in");

    let readme = std::fs::read_to_string(find_root().unwrap().join("README.md")).unwrap();
    let (million, mail) = (costs.of_a_million(), Prices::read().aws.mail * 1e6);
    let (idle, [busy, _]) = (costs.stack.idle(), costs.stack.month(metrics));
    let sum = million + mail + busy;
    let mut expected = vec![format!("A million sign-ins a month cost about ${sum:.0}, including ${mail:.0} for mail")];
    for (sign_ins, millions, fixed) in [("0", 0.0, idle), ("100,000", 0.1, busy), ("1,000,000", 1.0, busy)] {
        let (requests, mails) = (millions * million, millions * mail);
        let sum = requests + mails + fixed;
        expected.push(format!("| {sign_ins} | ${requests:.0} | ${mails:.0} | ${fixed:.0} | ${sum:.0} |"));
    }
    for text in expected {
        assert!(readme.contains(&text), "README.md lacks: {text}");
    }
}
