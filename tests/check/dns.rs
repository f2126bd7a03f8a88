//! Look-ups at servers that answer, refuse, stay silent, cut short and lie.

use super::servers::LOOPBACK;
use super::support::{HASTY, PATIENT, evaluate, failures, fields, max, never, probe};
use evenkeel::core::check::{Stat, Value, Verdict};
use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, TXT};
use hickory_resolver::proto::rr::{RData, Record};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

/// How a server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Answers(u8),
    Code(ResponseCode),
    /// An answer without records.
    Empty,
    /// Over UDP a part, over TCP all of it.
    CutShort,
    /// Answers with another id, then about another name.
    Lies,
    Noise,
    Silent,
}

struct DnsServer {
    port: u16,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl DnsServer {
    async fn start(manner: Manner) -> DnsServer {
        let (udp, tcp) = sockets().await;
        let port = udp.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let count = Arc::clone(&asked);
        tasks.spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((read, from)) = udp.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::SeqCst);
                for reply in replies(manner, &buffer[..read], false) {
                    let _ = udp.send_to(&reply, from).await;
                }
            }
        });
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let Ok(length) = stream.read_u16().await else {
                    continue;
                };
                let mut query = vec![0; usize::from(length)];
                let _ = stream.read_exact(&mut query).await;
                for reply in replies(manner, &query, true) {
                    let _ = stream.write_u16(u16::try_from(reply.len()).unwrap()).await;
                    let _ = stream.write_all(&reply).await;
                }
            }
        });
        DnsServer {
            port,
            asked,
            _tasks: tasks,
        }
    }

    fn address(&self) -> String {
        format!("'127.0.0.1:{}'", self.port)
    }
}

/// UDP and TCP on the same port.
async fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind(LOOPBACK).await.unwrap();
        let at: SocketAddr = udp.local_addr().unwrap();
        if let Ok(tcp) = TcpListener::bind(at).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both");
}

fn replies(manner: Manner, query: &[u8], over_tcp: bool) -> Vec<Vec<u8>> {
    let query = Message::from_vec(query).unwrap();
    let mut reply = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.recursion_available = true;
    reply.metadata.recursion_desired = true;
    let question = query.queries[0].clone();
    reply.add_query(question.clone());
    let record =
        |n: u8| Record::from_rdata(question.name().clone(), 60, RData::A(A::new(10, 0, 0, n)));
    let bytes = |message: &Message| message.to_vec().unwrap();
    match manner {
        Manner::Answers(count) => {
            for n in 0..count {
                reply.add_answer(record(n));
            }
            vec![bytes(&reply)]
        }
        Manner::Code(code) => {
            reply.metadata.response_code = code;
            vec![bytes(&reply)]
        }
        Manner::Empty => vec![bytes(&reply)],
        Manner::CutShort if over_tcp => {
            for n in 0..100 {
                reply.add_answer(record(n));
            }
            vec![bytes(&reply)]
        }
        Manner::CutShort => {
            reply.metadata.truncation = true;
            vec![bytes(&reply)]
        }
        Manner::Lies => {
            reply.add_answer(record(1));
            let mut stranger = reply.clone();
            stranger.metadata.id = query.metadata.id.wrapping_add(1);
            let mut other = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
            let mut about = question.clone();
            about.set_name("other.example.".parse().unwrap());
            other.add_query(about);
            other.add_answer(record(2));
            vec![bytes(&stranger), bytes(&other)]
        }
        Manner::Noise => vec![b"not DNS at all, but long enough to be read".to_vec()],
        Manner::Silent => Vec::new(),
    }
}

fn dns(servers: &[&DnsServer], more: &str) -> String {
    let servers: Vec<_> = servers.iter().map(|server| server.address()).collect();
    format!(
        "dns: {{name: api.example.com, servers: [{}], {more}}}",
        servers.join(", ")
    )
}

#[tokio::test]
async fn each_server_is_asked_each_time() {
    let (one, two) = (
        DnsServer::start(Manner::Answers(1)).await,
        DnsServer::start(Manner::Answers(3)).await,
    );
    for round in 1..=3 {
        let window = probe(PATIENT, &dns(&[&one, &two], "")).await;
        assert_eq!(fields(&window), ["answers", "ok", "rtt"]);
        assert_eq!((window.samples(), window.trues("ok")), (2, Some(2)));
        assert_eq!(window.stat("answers", Stat::Min), Some(Value::Number(1.0)));
        assert_eq!(window.stat("answers", Stat::Max), Some(Value::Number(3.0)));
        assert!(max(&window, "rtt") < 20.0);
        // Nothing is remembered from one probe to the next.
        assert_eq!(one.asked.load(Ordering::SeqCst), round);
        assert_eq!(two.asked.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_comes_over_tcp() {
    let server = DnsServer::start(Manner::CutShort).await;
    let window = probe(PATIENT, &dns(&[&server], "")).await;
    assert_eq!(window.trues("ok"), Some(1), "{:?}", failures(&window));
    assert!((max(&window, "answers") - 100.0).abs() < 0.1);
}

#[tokio::test]
async fn refusals_are_answers_and_took_their_time() {
    for (manner, says) in [
        (
            Manner::Code(ResponseCode::NXDomain),
            "1 dns: 127.0.0.1: no such name",
        ),
        (Manner::Empty, "1 dns: 127.0.0.1: no records"),
        (
            Manner::Code(ResponseCode::ServFail),
            "1 dns: 127.0.0.1: the server answers Server Failure",
        ),
        (
            Manner::Code(ResponseCode::Refused),
            "1 dns: 127.0.0.1: the server answers Query Refused",
        ),
    ] {
        let server = DnsServer::start(manner).await;
        let window = probe(PATIENT, &dns(&[&server], "")).await;
        assert_eq!(failures(&window), [says]);
        assert_eq!(window.stat("answers", Stat::Max), Some(Value::Number(0.0)));
        assert!(!never(&window, "rtt"), "{says}");
    }
}

#[tokio::test]
async fn silence_noise_and_lies_are_no_answers() {
    for manner in [Manner::Silent, Manner::Noise, Manner::Lies] {
        let server = DnsServer::start(manner).await;
        let window = probe(HASTY, &dns(&[&server], "")).await;
        assert_eq!((window.samples(), window.trues("ok")), (1, Some(0)));
        assert!(never(&window, "rtt"), "{:?}", failures(&window));
        assert!(failures(&window)[0].starts_with("1 dns: 127.0.0.1: "));
        let evaluation = evaluate(&["rtt < 2s"], window);
        assert_eq!(evaluation.verdict, Verdict::Failing);
    }
}

#[tokio::test]
async fn one_silent_server_does_not_hide_the_other() {
    let (good, silent) = (
        DnsServer::start(Manner::Answers(1)).await,
        DnsServer::start(Manner::Silent).await,
    );
    let window = probe(HASTY, &dns(&[&silent, &good], "")).await;
    assert_eq!((window.samples(), window.trues("ok")), (2, Some(1)));
}

#[tokio::test]
async fn records_of_another_type_do_not_count() {
    // The server answers every question with an address.
    let server = DnsServer::start(Manner::Answers(1)).await;
    let window = probe(PATIENT, &dns(&[&server], "type: TXT")).await;
    assert_eq!(window.trues("ok"), Some(0));
    let text = RData::TXT(TXT::new(vec!["x".to_owned()]));
    assert_ne!(
        text.record_type(),
        RData::A(A::new(1, 1, 1, 1)).record_type()
    );
}
