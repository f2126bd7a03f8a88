//! As much of a Postgres server as a probe meets: TLS, a password for those who need one, the limit of
//! connections, and small queries that only read, in the simple and in the extended protocol.
//!
//! Source: "Frontend/Backend Protocol" of the Postgres documentation, and its error codes.

mod message;
mod query;
mod session;

use std::io;

use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::LazyConfigAcceptor;

use self::message::{Startup, read_startup};
use super::Plane;
use super::serve::Stream;

pub(super) async fn serve(
    plane: &Plane,
    mut stream: impl Stream,
    database: &str,
) -> io::Result<()> {
    loop {
        match read_startup(&mut stream).await? {
            Startup::Session(parameters) => {
                return session::serve(plane, stream, database, &parameters).await;
            }
            Startup::Tls => {
                stream.write_all(b"S").await?;
                let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
                let leaf = plane.ask(|world| world.database_leaf(database));
                let config = plane.authority.server(&leaf).map_err(io::Error::other)?;
                let mut stream = start.into_stream(config).await?;
                // Inside TLS only a session may begin.
                return match read_startup(&mut stream).await? {
                    Startup::Session(parameters) => {
                        session::serve(plane, stream, database, &parameters).await
                    }
                    _ => Ok(()),
                };
            }
            Startup::Gss => stream.write_all(b"N").await?,
            Startup::Cancel => return Ok(()),
        }
        stream.flush().await?;
    }
}

/// One message of a client: its type and its content.
async fn read(stream: &mut (impl Stream + ?Sized)) -> io::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await?;
    let length = stream.read_u32().await?;
    Ok((kind, message::content(stream, length).await?))
}
