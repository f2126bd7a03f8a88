//! The data plane: what clients meet is what the model says, in seconds, statuses, refusals and certificates.

mod plane;
mod wire;

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use evenkeel::emulator::{Domain, Emulator, Options, Outcome, Scenario, Timing};
use futures::future::join_all;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use plane::{DATABASE, HOST, World, paused, question, request};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use wire::client::Gcp;
use wire::plan;

/// The world after the plan.
fn settled() -> Emulator {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    plan::all(&mut gcp);
    gcp.emulator
}

fn incident() -> Emulator {
    Emulator::new(Options {
        scenario: Scenario::NetraStaging,
        seed: 1,
        timing: Timing::fixed(Duration::from_mins(1), Duration::ZERO),
    })
}

/// Seconds of so many connections at once; None where none came about in a quarter of a minute.
async fn connects(world: &World, count: usize) -> Vec<Option<f64>> {
    let one = || async {
        let began = Instant::now();
        let dialed = timeout(Duration::from_secs(15), world.plane.dial(DATABASE, 5432)).await;
        matches!(dialed, Ok(Ok(_))).then(|| began.elapsed().as_secs_f64())
    };
    join_all((0..count).map(|_| one())).await
}

#[test]
fn connections_through_the_connector_take_what_the_model_says() {
    paused(async {
        let world = World::on(incident()).await;
        let slow = connects(&world, 20).await;
        let made: Vec<f64> = slow.iter().copied().flatten().collect();
        assert!(
            made.iter().all(|seconds| (5.0..9.5).contains(seconds)),
            "{made:?}"
        );
        assert!(
            (1..=4).contains(&(20 - made.len())),
            "some are lost: {slow:?}"
        );
        let world = World::on(settled()).await;
        let quick = connects(&world, 20).await;
        assert!(
            quick.iter().all(|seconds| seconds.is_some_and(|s| s < 0.1)),
            "{quick:?}"
        );
    });
}

#[test]
fn nothing_stands_at_unknown_hosts_and_a_database_that_is_down_refuses() {
    paused(async {
        let world = World::on(settled()).await;
        for (host, port) in [
            ("10.20.0.4", 5432),
            (DATABASE, 5433),
            ("nowhere.example.com", 443),
        ] {
            let error = world.plane.dial(host, port).await.unwrap_err();
            assert_eq!(
                error.kind(),
                io::ErrorKind::HostUnreachable,
                "{host}:{port}"
            );
        }
        world.faults(&json!([{"fault": "db_down"}]));
        let error = world.plane.dial(DATABASE, 5432).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        world.faults(&json!([{"fault": "connect_lost", "ratio": 1}]));
        let began = Instant::now();
        let error = world.plane.dial(DATABASE, 5432).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), Duration::from_mins(2), "and not for ever");
    });
}

#[test]
fn the_edge_answers_503_until_the_plan_is_through() {
    paused(async {
        let world = World::on(incident()).await;
        let replies = join_all((0..40).map(|_| world.get("/api/items"))).await;
        let failed = replies.iter().filter(|reply| reply.status == 503).count();
        assert!((10..=18).contains(&failed), "{failed} of 40");
        assert!(
            replies
                .iter()
                .all(|reply| matches!(reply.status, 200 | 503))
        );
        assert!(replies.iter().all(|reply| reply.took > 5.0));
        let world = World::on(settled()).await;
        let replies = join_all((0..40).map(|_| world.get("/api/items"))).await;
        assert!(
            replies
                .iter()
                .all(|reply| reply.status == 200 && reply.took < 1.0),
            "{replies:?}"
        );
    });
}

#[test]
fn health_endpoints_tell_what_is_wrong() {
    paused(async {
        let world = World::on(incident()).await;
        let deep = join_all((0..12).map(|_| world.get("/health"))).await;
        assert!(deep.iter().any(|reply| reply.took > 15.0), "{deep:?}");
        let ill = deep
            .iter()
            .find(|reply| reply.json()["status"] == "unhealthy")
            .unwrap();
        assert_eq!(
            (ill.status, &ill.json()["database"]["status"]),
            (503, &json!("unreachable"))
        );
        let well = deep
            .iter()
            .find(|reply| reply.status == 200)
            .unwrap()
            .json();
        assert!(
            well["startup"]["databaseSeconds"].as_f64().unwrap() > 40.0,
            "{well}"
        );
        let basic = join_all((0..12).map(|_| world.get("/health/basic"))).await;
        assert!(basic.iter().filter(|reply| reply.status == 200).count() >= 9);
        assert!(basic.iter().all(|reply| reply.took < 0.1));
        let golden = world.get("/golden-path").await;
        assert!(golden.took > 30.0, "{golden:?}");

        let world = World::on(settled()).await;
        for path in ["/health", "/health/basic", "/health/ready", "/golden-path"] {
            let reply = world.get(path).await;
            assert!(reply.status == 200 && reply.took < 3.0, "{path}: {reply:?}");
            assert_eq!(reply.json()["status"], "healthy");
        }
        world.faults(&json!([{"fault": "app_errors", "ratio": 1, "service": "netra-backend"}]));
        assert_eq!(
            world.get("/health").await.status,
            500,
            "the application's own fault"
        );
    });
}

#[test]
fn hosts_and_paths_lead_to_services_and_machines() {
    paused(async {
        let world = World::on(settled()).await;
        assert_eq!(world.get("/").await.json()["service"], "netra-backend");
        let service = world
            .emulator
            .truth("/v2/projects/netra-staging/locations/us-central1/services/netra-auth");
        let uri = service.unwrap()["uri"].as_str().unwrap().to_owned();
        let host = uri.trim_start_matches("https://");
        assert_eq!(
            world.get_of(host, "/x").await.json()["service"],
            "netra-auth"
        );
        let machines: BTreeSet<String> = join_all((0..4).map(|_| world.get("/vm/health/basic")))
            .await
            .iter()
            .map(|reply| reply.json()["machine"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(machines.len(), 2, "both machines are well");
        assert_eq!(world.get("/vm/nowhere").await.status, 404);
        let plain = world.plane.dial(HOST, 80).await.unwrap();
        assert_eq!(request(plain, HOST, "/x").await.status, 301);
    });
}

#[test]
fn a_wrong_health_check_takes_all_machines_out() {
    paused(async {
        let world = World::on(settled()).await;
        assert_eq!(world.get("/vm/").await.status, 200);
        let check = "projects/netra-staging/global/healthChecks/staging-hc";
        let wrong = json!({"httpHealthCheck": {"requestPath": "/nowhere"}});
        world
            .emulator
            .foreign_patch(world.now(), check, &wrong)
            .unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(
            world.get("/vm/").await.status,
            200,
            "two checks have failed"
        );
        tokio::time::sleep(Duration::from_secs(11)).await;
        let reply = world.get("/vm/").await;
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (503, "no healthy upstream\n")
        );
        assert_eq!(
            world.get("/").await.status,
            200,
            "serverless backends have no health check"
        );
    });
}

fn expiry(certificate: &CertificateDer) -> i64 {
    // The last of the two times of the validity: UTCTime, YYMMDDHHMMSSZ.
    let der = certificate.as_ref();
    let mut times = der
        .windows(15)
        .filter(|w| w[..2] == [0x17, 0x0d])
        .map(|w| String::from_utf8_lossy(&w[2..14]).into_owned());
    let last = times.next_back().expect("a time");
    let text = format!(
        "20{}-{}-{}T{}:{}:{}Z",
        &last[..2],
        &last[2..4],
        &last[4..6],
        &last[6..8],
        &last[8..10],
        &last[10..12]
    );
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn handshakes_are_slow_until_the_connector_grows_and_show_the_proxys_certificate() {
    paused(async {
        let world = World::on(incident()).await;
        let (done, took) = world.tls(HOST).await;
        assert!(done.is_ok() && (5.0..10.0).contains(&took), "{took}");
        let world = World::on(settled()).await;
        let (done, took) = world.tls(HOST).await;
        assert!(took < 0.2, "{took}");
        let stream = done.unwrap();
        let shown = &stream.get_ref().1.peer_certificates().unwrap()[0];
        let live = world.emulator.truth(wire::compute::CERTIFICATE).unwrap();
        let expires: jiff::Timestamp = live["expireTime"].as_str().unwrap().parse().unwrap();
        assert_eq!(expiry(shown), expires.as_second());
        let (wrong, _) = world.tls("other.example.com").await;
        assert!(wrong.is_err(), "a name that the certificate does not hold");
        world.faults(&json!([{"fault": "tls_slow", "seconds": 8}]));
        let (done, took) = world.tls(HOST).await;
        assert!(done.is_ok() && (6.0..11.0).contains(&took), "{took}");
        world.faults(&json!([{"fault": "tls_fails", "ratio": 0.5}]));
        let results = join_all((0..10).map(|_| world.tls(HOST))).await;
        assert_eq!(results.iter().filter(|(done, _)| done.is_err()).count(), 5);
    });
}

#[test]
fn a_certificate_that_has_ended_is_shown_and_a_rotated_one_takes_its_place() {
    paused(async {
        let world = World::on(settled()).await;
        let ended = json!({"expireTime": "2026-01-01T00:00:00.000-08:00"});
        let path = "projects/netra-staging/global/sslCertificates/staging-cert";
        world
            .emulator
            .foreign_patch(world.now(), path, &ended)
            .unwrap();
        let error = world.tls(HOST).await.0.unwrap_err();
        assert!(
            error.to_string().contains("expired") || error.to_string().contains("Expired"),
            "{error}"
        );
        let ask = |method: &str, path: &str, body: Value| {
            let request = http::Request::builder()
                .method(method)
                .uri(path)
                .body(Bytes::from(body.to_string()))
                .unwrap();
            let Outcome::Reply(reply) = world.emulator.handle(world.now(), &request).outcome else {
                panic!()
            };
            assert!(reply.status().is_success(), "{:?}", reply.body());
        };
        let global = wire::compute::GLOBAL;
        ask(
            "POST",
            &format!("{global}/sslCertificates"),
            wire::compute::managed("next", &[HOST, "api.netra.example.com"]),
        );
        tokio::time::sleep(Duration::from_secs(30)).await;
        let certificates: Vec<String> = ["next", "staging-cert"]
            .iter()
            .map(|name| wire::compute::link(&format!("{global}/sslCertificates/{name}")))
            .collect();
        let proxy = format!(
            "{}/targetHttpsProxies/staging-https-proxy/setSslCertificates",
            wire::compute::PROJECT
        );
        ask("POST", &proxy, json!({"sslCertificates": certificates}));
        assert!(
            world.tls(HOST).await.0.is_err(),
            "the new one is still being issued"
        );
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert!(world.tls(HOST).await.0.is_ok());
        assert_eq!(
            world.get_of("api.netra.example.com", "/").await.status,
            200,
            "and its other name too"
        );
    });
}

#[test]
fn a_certificate_map_decides_by_host_name() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    plan::all(&mut gcp);
    let place = "/v1/projects/netra-staging/locations/global";
    let name = "projects/netra-staging/locations/global/certificates/shop";
    let managed = json!({"managed": {"domains": ["shop.example.com"]}});
    gcp.settled(
        "POST",
        &format!("{place}/certificates?certificateId=shop"),
        managed,
    );
    gcp.settled(
        "POST",
        &format!("{place}/certificateMaps?certificateMapId=m"),
        json!({}),
    );
    let entries = format!("{place}/certificateMaps/m/certificateMapEntries");
    let entry = json!({"hostname": "shop.example.com", "certificates": [name]});
    gcp.settled("POST", &format!("{entries}?certificateMapEntryId=e"), entry);
    let map = "//certificatemanager.googleapis.com/projects/netra-staging/locations/global/certificateMaps/m";
    let set = format!("{}/setCertificateMap", wire::compute::PROXY);
    gcp.done("POST", &set, json!({"certificateMap": map}));
    gcp.wait(3_600);
    gcp.emulator.advance(gcp.now);
    paused(async {
        let world = World::on(gcp.emulator).await;
        assert!(world.tls("shop.example.com").await.0.is_ok());
        assert!(
            world.tls(HOST).await.0.is_err(),
            "the list is overridden, and no entry is primary"
        );
    });
}

#[test]
fn names_are_resolved_late_or_not_at_all() {
    paused(async {
        let world = World::on(settled()).await;
        let ask = |name: &'static str, kind| {
            let plane = &world.plane;
            async move {
                let began = Instant::now();
                let reply = plane.resolve(&question(name, kind)).await.unwrap();
                (
                    Message::from_vec(&reply).unwrap(),
                    began.elapsed().as_secs_f64(),
                )
            }
        };
        let (found, took) = ask("staging.netra.example.com.", RecordType::A).await;
        assert!(took < 0.1 && found.metadata.id == 7);
        assert_eq!(found.answers.len(), 1);
        assert!(
            found.answers[0].to_string().contains("203.0.113.10"),
            "{}",
            found.answers[0]
        );
        let (empty, _) = ask("staging.netra.example.com.", RecordType::AAAA).await;
        assert_eq!(
            (empty.answers.len(), empty.metadata.response_code),
            (0, ResponseCode::NoError)
        );
        let (none, _) = ask("nowhere.example.com.", RecordType::A).await;
        assert_eq!(none.metadata.response_code, ResponseCode::NXDomain);
        let published = json!({"_acme-challenge.example.com": "token.authorize.example"});
        let request = http::Request::put("/_emulator/dns").body(Bytes::from(published.to_string()));
        world.emulator.handle(world.now(), &request.unwrap());
        let (alias, _) = ask("_acme-challenge.example.com.", RecordType::CNAME).await;
        let answer = alias.answers[0].to_string();
        assert!(
            answer.contains("CNAME token.authorize.example."),
            "{answer}"
        );
        world
            .emulator
            .set_domains([(HOST.to_owned(), Domain::NotVisible)].into());
        let (hidden, _) = ask("staging.netra.example.com.", RecordType::A).await;
        assert_eq!(hidden.metadata.response_code, ResponseCode::NXDomain);
        world.faults(
            &json!([{"fault": "dns_slow", "seconds": 3}, {"fault": "dns_fails", "ratio": 1}]),
        );
        let (failed, took) = ask("staging.netra.example.com.", RecordType::A).await;
        assert!(
            took > 2.0 && failed.metadata.response_code == ResponseCode::ServFail,
            "{took}"
        );
        assert_eq!(world.plane.resolve(b"nonsense").await, None);
    });
}

/// A session over a connection of its own, and what it took to get it.
async fn session(world: &World, user: &str, password: Option<&str>) -> Result<Client, String> {
    let stream = world
        .plane
        .dial(DATABASE, 5432)
        .await
        .map_err(|error| error.to_string())?;
    let mut config = Config::new();
    config.user(user).dbname("netra").ssl_mode(SslMode::Disable);
    if let Some(password) = password {
        config.password(password);
    }
    let code = |error: tokio_postgres::Error| {
        error
            .code()
            .map_or(error.to_string(), |code| code.code().to_owned())
    };
    let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(code)?;
    tokio::spawn(connection);
    Ok(client)
}

#[test]
fn the_database_lets_in_as_many_as_it_may() {
    paused(async {
        let world = World::on(incident()).await;
        let refused = loop {
            // Some connections are lost on their way.
            let one = timeout(Duration::from_secs(30), session(&world, "probe", None));
            if let Ok(outcome) = one.await {
                break outcome;
            }
        };
        assert_eq!(refused.err().as_deref(), Some("53300"));

        let world = World::on(settled()).await;
        let fifty = join_all((0..50).map(|_| session(&world, "probe", None))).await;
        assert!(
            fifty.iter().all(Result::is_ok),
            "the pool is stable under load"
        );
        // 400 less 3 for superusers, less 226 of the services.
        let more = join_all((0..122).map(|_| session(&world, "probe", None))).await;
        let refused: Vec<_> = more.iter().filter_map(|one| one.as_ref().err()).collect();
        assert_eq!(refused, ["53300"]);
        let count = fifty[0]
            .as_ref()
            .unwrap()
            .query_one("SELECT count(*) FROM pg_stat_activity", &[])
            .await;
        assert_eq!(count.unwrap().get::<_, i32>(0), 226 + 171);
        drop((fifty, more));
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(
            session(&world, "probe", None).await.is_ok(),
            "slots come back"
        );
    });
}

#[test]
fn queries_take_their_time_in_both_protocols() {
    paused(async {
        let world = World::on(settled()).await;
        let client = session(&world, "probe", None).await.unwrap();
        let began = Instant::now();
        let row = client.query_one("SELECT 1", &[]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), 1);
        assert!(began.elapsed().as_secs_f64() < 0.5);
        let text = client.query_one("SHOW max_connections", &[]).await.unwrap();
        assert_eq!(text.get::<_, &str>(0), "400");
        assert_eq!(client.simple_query("SELECT 42").await.unwrap().len(), 3);
        client.batch_execute("BEGIN; ").await.unwrap();
        let unknown = client.query("SELECT * FROM users", &[]).await.unwrap_err();
        assert_eq!(
            unknown.code().map(tokio_postgres::error::SqlState::code),
            Some("0A000")
        );
        assert_eq!(
            client
                .query_one("SELECT 1", &[])
                .await
                .unwrap()
                .get::<_, i32>(0),
            1,
            "the session goes on"
        );
        world.faults(&json!([{"fault": "db_slow", "seconds": 31}]));
        let began = Instant::now();
        client.simple_query("SELECT 1").await.unwrap();
        assert!(began.elapsed().as_secs_f64() > 26.0);
        world.faults(&json!([{"fault": "db_down"}]));
        let gone = client.simple_query("SELECT 1").await.unwrap_err();
        assert_eq!(
            gone.code().map(tokio_postgres::error::SqlState::code),
            Some("57P01")
        );
    });
}

#[test]
fn the_services_own_role_needs_the_password_of_their_secret() {
    paused(async {
        let world = World::on(settled()).await;
        assert_eq!(
            session(&world, "netra", Some("guess"))
                .await
                .err()
                .as_deref(),
            Some("28P01")
        );
        assert!(
            session(&world, "netra", Some("a-made-up-password"))
                .await
                .is_ok()
        );
        world.emulator.add_secret(
            "projects/netra-staging/secrets/netra-db-password",
            "another",
        );
        assert_eq!(
            session(&world, "netra", Some("a-made-up-password"))
                .await
                .err()
                .as_deref(),
            Some("28P01")
        );
        assert!(session(&world, "netra", Some("another")).await.is_ok());
        let seen = format!("{:?}", world.emulator.requests());
        assert!(!seen.contains("a-made-up-password"));
    });
}

#[test]
fn postgres_speaks_tls_with_a_certificate_for_its_address() {
    paused(async {
        let world = World::on(settled()).await;
        let mut stream = world.plane.dial(DATABASE, 5432).await.unwrap();
        stream
            .write_all(&[0, 0, 0, 8, 4, 210, 22, 47])
            .await
            .unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'S');
        let stream = world.handshake(stream, DATABASE).await.unwrap();
        let mut config = Config::new();
        config
            .user("probe")
            .dbname("netra")
            .ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect_raw(stream, NoTls).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(
            client
                .query_one("SELECT 1", &[])
                .await
                .unwrap()
                .get::<_, i32>(0),
            1
        );
    });
}

/// One way through the gateway: the code of its reply, and the stream behind it.
async fn socks(world: &World, host: &str, port: u16) -> (u8, TcpStream) {
    let mut stream = TcpStream::connect(world.plane.gateway()).await.unwrap();
    stream.write_all(&[5, 1, 0]).await.unwrap();
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.unwrap();
    assert_eq!(chosen, [5, 0]);
    let mut wanted = vec![5, 1, 0, 3, u8::try_from(host.len()).unwrap()];
    wanted.extend(host.as_bytes());
    wanted.extend(port.to_be_bytes());
    stream.write_all(&wanted).await.unwrap();
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).await.unwrap();
    (reply[1], stream)
}

/// Real sockets on real time: a settled world answers within milliseconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_carries_any_client_to_any_host() {
    let world = World::on(settled()).await;
    let (code, stream) = socks(&world, HOST, 443).await;
    assert_eq!(code, 0);
    let stream = world.handshake(stream, HOST).await.unwrap();
    assert_eq!(request(stream, HOST, "/health").await.status, 200);
    assert_eq!(socks(&world, "nowhere.example.com", 443).await.0, 4);
    world.faults(&json!([{"fault": "db_down"}]));
    assert_eq!(socks(&world, DATABASE, 5432).await.0, 5);
    world.faults(&json!([{"fault": "connect_slow", "seconds": 0.4}]));
    let began = std::time::Instant::now();
    assert_eq!(socks(&world, DATABASE, 5432).await.0, 0);
    assert!(
        began.elapsed() > Duration::from_millis(300),
        "the time to connect is the gateway's"
    );

    let mut odd = TcpStream::connect(world.plane.gateway()).await.unwrap();
    odd.write_all(&[5, 1, 2]).await.unwrap();
    let mut chosen = [0; 2];
    odd.read_exact(&mut chosen).await.unwrap();
    assert_eq!(chosen, [5, 0xff], "only clients without authentication");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_endpoint_has_a_port_of_its_own_that_the_controls_tell() {
    let world = World::on(settled()).await;
    let ask = |path: &str| {
        let request = http::Request::get(format!("/_emulator/{path}"))
            .body(Bytes::new())
            .unwrap();
        let Outcome::Reply(reply) = world.emulator.handle(world.now(), &request).outcome else {
            panic!()
        };
        (
            reply.status().as_u16(),
            String::from_utf8(reply.body().to_vec()).unwrap(),
        )
    };
    let (status, text) = ask("dataplane");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        told["gateway"]["address"],
        world.plane.gateway().to_string()
    );
    assert_eq!(ask("dataplane/ca.pem").1, world.plane.authority());
    let endpoints = told["endpoints"].as_array().unwrap();
    assert_eq!(
        endpoints.len(),
        15,
        "the edge twice, a database, 12 services"
    );
    let address = |name: &str| {
        let found = endpoints
            .iter()
            .find(|endpoint| endpoint["name"] == name)
            .unwrap();
        found["address"].as_str().unwrap().to_owned()
    };
    let stream = TcpStream::connect(address("netra-auth")).await.unwrap();
    assert_eq!(
        request(stream, "localhost", "/health/basic").await.json()["service"],
        "netra-auth"
    );
    let stream = TcpStream::connect(world.plane.address("edge", "https").unwrap())
        .await
        .unwrap();
    let stream = world.handshake(stream, HOST).await.unwrap();
    assert_eq!(request(stream, HOST, "/").await.status, 200);
    let mut config = Config::new();
    config
        .user("probe")
        .dbname("netra")
        .ssl_mode(SslMode::Disable);
    let stream = TcpStream::connect(address("netra-db")).await.unwrap();
    let (client, connection) = config.connect_raw(stream, NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(
        client
            .query_one("SELECT 1", &[])
            .await
            .unwrap()
            .get::<_, i32>(0),
        1
    );
    world.faults(&json!([{"fault": "db_down"}]));
    let mut refused = TcpStream::connect(address("netra-db")).await.unwrap();
    assert!(
        refused.read(&mut [0]).await.is_err(),
        "a reset, where the kernel has accepted already"
    );

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket
        .send_to(
            &question("staging.netra.example.com.", RecordType::A),
            world.plane.dns(),
        )
        .await
        .unwrap();
    let mut buffer = [0; 512];
    let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
    assert_eq!(
        Message::from_vec(&buffer[..length]).unwrap().answers.len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_when_it_is_dropped() {
    let world = World::on(settled()).await;
    let (gateway, emulator) = (
        world.plane.gateway(),
        std::sync::Arc::clone(&world.emulator),
    );
    drop(world);
    let request = http::Request::get("/_emulator/dataplane")
        .body(Bytes::new())
        .unwrap();
    let Outcome::Reply(gone) = emulator
        .handle(jiff::Timestamp::UNIX_EPOCH, &request)
        .outcome
    else {
        panic!()
    };
    assert_eq!(gone.status(), 404);
    let closed = async {
        while TcpStream::connect(gateway).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), closed)
        .await
        .expect("it listens no longer");
}

#[test]
fn a_world_without_services_has_a_gateway_and_nothing_behind_it() {
    paused(async {
        let world = World::on(Emulator::new(Options::default())).await;
        assert!(world.plane.dial(HOST, 443).await.is_err());
        assert_eq!(world.plane.address("edge", "https"), None);
    });
}
