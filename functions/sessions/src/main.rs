//! The Lambda function `sessions`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<sessions::Sessions>().await
}
