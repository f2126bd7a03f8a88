//! The SOCKS5 proxy (RFC 1928): version, method "no authentication", CONNECT.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Plane;
use super::serve::{accept, closed};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;

const GRANTED: u8 = 0;
const FAILED: u8 = 1;
const HOST_UNREACHABLE: u8 = 4;
const REFUSED: u8 = 5;
const NO_COMMAND: u8 = 7;
const NO_ADDRESS_TYPE: u8 = 8;

/// A client that connects says at once what it wants.
const GREETING_MAX: Duration = Duration::from_secs(10);

pub(super) async fn serve(plane: Arc<Plane>, listener: TcpListener) {
    accept(plane, listener, |plane, stream| async move {
        let stop = plane.stop.clone();
        tokio::select! {
            _ = carry(&plane, stream) => {}
            () = stop.cancelled() => {}
        }
    })
    .await;
}

async fn carry(plane: &Plane, mut stream: TcpStream) -> io::Result<()> {
    let wanted = timeout(GREETING_MAX, greet(&mut stream)).await??;
    let Some((host, port)) = wanted else {
        return Ok(());
    };
    let Some(target) = plane.ask(|world| world.target(&host, port)) else {
        return reply(&mut stream, HOST_UNREACHABLE).await;
    };
    let travelled = tokio::select! {
        travelled = plane.travel(&target) => travelled,
        () = closed(&stream) => return Ok(()),
    };
    match travelled {
        Ok(()) => {
            reply(&mut stream, GRANTED).await?;
            plane.serve(stream, target).await;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            reply(&mut stream, REFUSED).await
        }
        Err(_) => reply(&mut stream, FAILED).await,
    }
}

/// What the client wants to reach; None when it was told that it cannot.
async fn greet(stream: &mut TcpStream) -> io::Result<Option<(String, u16)>> {
    if stream.read_u8().await? != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let count = stream.read_u8().await?;
    let mut methods = vec![0; count.into()];
    stream.read_exact(&mut methods).await?;
    if !methods.contains(&NO_AUTHENTICATION) {
        stream.write_all(&[VERSION, NO_METHOD]).await?;
        return Ok(None);
    }
    stream.write_all(&[VERSION, NO_AUTHENTICATION]).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version, command, _reserved, kind] = head;
    if version != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let host = match kind {
        1 => {
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).await?;
            Ipv4Addr::from(bytes).to_string()
        }
        3 => {
            let length = stream.read_u8().await?;
            let mut bytes = vec![0; length.into()];
            stream.read_exact(&mut bytes).await?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        4 => {
            let mut bytes = [0; 16];
            stream.read_exact(&mut bytes).await?;
            Ipv6Addr::from(bytes).to_string()
        }
        _ => {
            reply(stream, NO_ADDRESS_TYPE).await?;
            return Ok(None);
        }
    };
    let port = stream.read_u16().await?;
    if command != CONNECT {
        reply(stream, NO_COMMAND).await?;
        return Ok(None);
    }
    Ok(Some((host, port)))
}

/// The bound address is of no use to anybody: all zeros.
async fn reply(stream: &mut TcpStream, code: u8) -> io::Result<()> {
    stream
        .write_all(&[VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0])
        .await
}
