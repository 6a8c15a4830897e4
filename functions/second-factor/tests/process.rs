//! Runs the real binary like Lambda does.

const BINARY: &str = env!("CARGO_BIN_EXE_second-factor");

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
