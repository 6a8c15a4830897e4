//! The Lambda function `rotate-keys`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run_or_refuse::<rotate_keys::RotateKeys, _>(rotate_keys::refuse).await
}
