//! The Lambda function `second-factor`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<second_factor::SecondFactor>().await
}
