//! The Lambda function `callbacks`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<callbacks::Callbacks>().await
}
