//! The Lambda function `rotate-keys`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<rotate_keys::RotateKeys>().await
}
