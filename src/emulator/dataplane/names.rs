//! The name server: A records of emulated hosts, and the CNAME records that were published, over UDP.

use std::net::Ipv4Addr;
use std::sync::Arc;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

use super::{Plane, pass};
use crate::emulator::traffic::reach::Resolution;

/// RFC 1035: the longest message over UDP without EDNS.
const MESSAGE_MAX: usize = 512;

const TTL_SECONDS: u32 = 60;

pub(super) async fn serve(plane: Arc<Plane>, socket: UdpSocket) {
    let socket = Arc::new(socket);
    let mut buffer = [0; MESSAGE_MAX];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = plane.stop.cancelled() => return,
        };
        let Ok((length, from)) = received else {
            continue;
        };
        let Ok(permit) = Arc::clone(&plane.room).try_acquire_owned() else {
            continue;
        };
        let question = buffer.get(..length).unwrap_or_default().to_vec();
        let (plane, socket) = (Arc::clone(&plane), Arc::clone(&socket));
        tokio::spawn(async move {
            if let Some(answer) = answer(&plane, &question).await {
                socket.send_to(&answer, from).await.ok();
            }
            drop(permit);
        });
    }
}

/// One message for another; None for what is no question.
pub(super) async fn answer(plane: &Plane, question: &[u8]) -> Option<Vec<u8>> {
    let message = Message::from_vec(question).ok()?;
    if message.metadata.message_type != MessageType::Query {
        return None;
    }
    let query = message.queries.first()?;
    let (name, wanted) = (query.name().clone(), query.query_type());
    let resolved = plane.ask(|world| world.resolve(&name.to_ascii()));
    pass(resolved.seconds).await;
    let mut answer = Message::response(message.metadata.id, message.metadata.op_code);
    answer.metadata.recursion_desired = message.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_query(query.clone());
    match resolved.outcome {
        Resolution::ServerFails => answer.metadata.response_code = ResponseCode::ServFail,
        Resolution::NoSuchName => answer.metadata.response_code = ResponseCode::NXDomain,
        Resolution::Alias(other) => {
            if let Ok(other) = Name::from_ascii(format!("{other}.")) {
                let data = RData::CNAME(CNAME(other));
                answer.add_answer(Record::from_rdata(name, TTL_SECONDS, data));
            }
        }
        // Other types of record: the name is there, and has none.
        Resolution::Addresses(_) if wanted != RecordType::A => {}
        Resolution::Addresses(addresses) => {
            for address in addresses {
                if let Ok(address) = address.parse::<Ipv4Addr>() {
                    let data = RData::A(A(address));
                    answer.add_answer(Record::from_rdata(name.clone(), TTL_SECONDS, data));
                }
            }
        }
    }
    answer.to_vec().ok()
}
