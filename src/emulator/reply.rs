//! HTTP replies, built without a way to fail.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::Value;

pub(super) fn json(status: u16, body: &Value, pretty: bool) -> Response<Bytes> {
    let text = if pretty {
        format!("{body:#}\n")
    } else {
        body.to_string()
    };
    with_type(status, text, "application/json; charset=UTF-8")
}

/// What Google's front end sends for a path or verb that no API has: a page, not an error envelope.
pub(super) fn no_such_path(path: &str) -> Response<Bytes> {
    let shown = path.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error 404 (Not Found)!!1</title>\n  \
         <p><b>404.</b> <ins>That\u{2019}s an error.</ins>\n  <p>The requested URL <code>{shown}</code> was not \
         found on this server.  <ins>That\u{2019}s all we know.</ins>\n"
    );
    with_type(404, page, "text/html; charset=UTF-8")
}

pub(super) fn text(status: u16, text: &str) -> Response<Bytes> {
    with_type(status, text.to_owned(), "text/plain; charset=UTF-8")
}

pub(super) fn set_header(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

fn with_type(status: u16, text: String, content_type: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
