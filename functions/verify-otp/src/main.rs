//! The Lambda function `verify-otp`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<verify_otp::VerifyOtp>().await
}
