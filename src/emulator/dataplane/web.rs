//! HTTP/1.1 over any stream.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue, LOCATION};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::serve::Stream;
use super::{Plane, pass};
use crate::emulator::traffic::answer::{Answer, Body};

type Reply = Result<Response<Full<Bytes>>, Infallible>;

/// Answers for one service by its name, or for every host of the edge.
pub(super) async fn serve(
    plane: &Plane,
    stream: impl Stream,
    service: Option<&str>,
) -> io::Result<()> {
    let answer = |request: Request<Incoming>| async move {
        let (host, path) = (host(&request), request.uri().path().to_owned());
        let answer = plane.ask(|world| match service {
            Some(service) => world.answer_of(service, &path),
            None => world.answer_at(&host, &path),
        });
        pass(answer.seconds).await;
        Reply::Ok(reply(answer))
    };
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    served.await.map_err(io::Error::other)
}

/// Sends everybody to the same address with https.
pub(super) async fn redirect(stream: impl Stream) -> io::Result<()> {
    let answer = |request: Request<Incoming>| async move {
        let to = format!("https://{}{}", host(&request), request.uri());
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
        if let Ok(to) = HeaderValue::from_str(&to) {
            response.headers_mut().insert(LOCATION, to);
        }
        Reply::Ok(response)
    };
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    served.await.map_err(io::Error::other)
}

fn host(request: &Request<Incoming>) -> String {
    let header = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let host = header.or(request.uri().host()).unwrap_or_default();
    host.to_owned()
}

fn reply(answer: Answer) -> Response<Full<Bytes>> {
    let (text, kind) = match answer.body {
        Body::Json(body) => (format!("{body}\n"), "application/json"),
        Body::Text(text) => (text, "text/plain; charset=utf-8"),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
