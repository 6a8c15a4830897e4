//! QR codes of secrets: an SVG of one path, and a PNG for the frontends of a replaced system.

use std::fmt::Write;

use data_encoding::BASE64;
use qrcodegen::{QrCode, QrCodeEcc};
use shared::words::{Error, Result};

/// The empty border that scanners need, in modules (ISO/IEC 18004).
const BORDER: i32 = 4;
/// The pixels of a module in a PNG.
const SCALE: i32 = 6;

fn code(text: &str) -> Result<QrCode> {
    QrCode::encode_text(text, QrCodeEcc::Medium)
        .map_err(|_| Error::internal("the address of a secret is too long for a QR code"))
}

/// The code as an SVG.
///
/// # Errors
/// [`Error::Internal`] if `text` does not fit.
pub(crate) fn svg(text: &str) -> Result<String> {
    let code = code(text)?;
    let side = code.size() + 2 * BORDER;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let width = (x..code.size()).take_while(|&at| code.get_module(at, y)).count() as i32;
            if width > 0 {
                let (left, top) = (x + BORDER, y + BORDER);
                write!(path, "M{left} {top}h{width}v1h-{width}z").map_err(Error::internal)?;
            }
            x += width.max(1);
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    ))
}

/// The code as a PNG in base64.
///
/// # Errors
/// As [`svg`].
pub(crate) fn png(text: &str) -> Result<String> {
    let code = code(text)?;
    let side = (code.size() + 2 * BORDER) * SCALE;
    let is_dark = |x: i32, y: i32| code.get_module(x / SCALE - BORDER, y / SCALE - BORDER);
    let pixels: Vec<u8> = (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .map(|(x, y)| if is_dark(x, y) { 0 } else { 255 })
        .collect();
    let mut bytes = Vec::new();
    let side = u32::try_from(side).map_err(Error::internal)?;
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(Error::internal)?;
    writer.write_image_data(&pixels).map_err(Error::internal)?;
    writer.finish().map_err(Error::internal)?;
    Ok(BASE64.encode(&bytes))
}
