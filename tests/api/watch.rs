//! `cargo lambda watch` uses the template's routes and settings.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use local::{Addresses, Kind, Options};
use local_aws::template::{Template, find_root};
use shared::config;
use tests::Deployment;
use tests::deployment::RSA_KEYS;
use toml::{Table, Value};

/// The default addresses of AWS services in `local`, and of the API in `cargo lambda watch`.
const SERVICES: &str = "127.0.0.1:4566";
const WATCH: &str = "127.0.0.1:9000";

fn text(path: &str) -> String {
    fs::read_to_string(find_root().unwrap().join(path)).unwrap()
}

/// The table at `keys` of a manifest.
fn table(manifest: &str, keys: &[&str]) -> Table {
    let manifest = Value::Table(text(manifest).parse().unwrap());
    let found = keys.iter().try_fold(&manifest, |value, key| value.get(key));
    found.and_then(Value::as_table).unwrap_or_else(|| panic!("there is no {keys:?}")).clone()
}

/// The workspace's variables, overridden by the function's own, as cargo-lambda merges them (its docs/commands/watch.md).
///
/// Two variables differ from a stack's own functions. The services' address differs because a test's stack listens on a free
/// port. The issuer differs because the API has another address under watch.
#[tokio::test]
async fn the_watch_settings_match_the_template() {
    let signing_keys = RSA_KEYS.map(str::to_owned).to_vec();
    let auth = Deployment::run(Options { services_only: true, signing_keys, ..Options::default() }).await.unwrap();
    let template = Template::read(&find_root().unwrap(), "default").unwrap();
    let shared = table("Cargo.toml", &["workspace", "metadata", "lambda", "env"]);
    let mut read = BTreeSet::new();
    for (name, function) in &template.functions {
        let kind = Kind::of_binary(&function.binary).unwrap();
        read.append(&mut kind.variables());
        let mut given: BTreeMap<String, String> = auth.stack.environment(name).into_iter().collect();
        for name in ["AWS_ENDPOINT_URL", "TWILIO_ENDPOINT_URL", "SENDGRID_ENDPOINT_URL"] {
            given.insert(name.to_owned(), format!("http://{SERVICES}"));
        }
        given.insert("JWT_ISSUER".to_owned(), format!("http://{WATCH}"));

        let manifest = format!("functions/{}/Cargo.toml", function.binary);
        let own = table(&manifest, &["package", "metadata", "lambda", "env"]);
        // The comparison below hides credentials, so they are checked here.
        assert_eq!(own["AWS_ACCESS_KEY_ID"].as_str(), Some(name.as_str()), "{manifest}");
        assert_eq!(shared["AWS_SECRET_ACCESS_KEY"].as_str().unwrap(), given["AWS_SECRET_ACCESS_KEY"]);
        let watched: Table = shared.clone().into_iter().chain(own).collect();

        // Under watch, the runtime itself only sets the function's name.
        given.remove("AWS_LAMBDA_FUNCTION_NAME");
        let watched = config::read(|name| Some(watched.get(name)?.as_str().unwrap().to_owned()), kind.read).unwrap();
        let given = config::read(|name| given.get(name).cloned(), kind.read).unwrap();
        assert!(watched == given, "{manifest}:\n{watched}\nand the template:\n{given}");
    }
    let unread: Vec<_> = shared.keys().filter(|name| !read.contains(*name)).collect();
    assert!(unread.is_empty(), "no function reads {unread:?}");
}

/// The two addresses repeated in the manifests.
#[test]
fn the_watch_settings_name_the_addresses_of_local() {
    assert!(text("local/src/main.rs").contains(&format!("default_value = \"{SERVICES}\"")));
    let addresses = Addresses { api: None, aws: SERVICES.parse().unwrap(), inbox: None, page: None };
    assert_eq!(addresses.api_url(), format!("http://{WATCH}"));
}
