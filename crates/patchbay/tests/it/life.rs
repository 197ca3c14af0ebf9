//! Starts and ends.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
};

use patchbay_testing::{http, wait_for};
use rustix::process::Signal;
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::process::{PATIENCE, Process, address, command, run, up};

#[tokio::test]
async fn answers_on_all_listeners_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (process, ready) = Process::start(command(&up(&folder.path().join("data"), &[])));
    assert_eq!(ready["event"], "ready");

    let admin = address(&ready, "admin_listen");
    let health = http::call(admin, "GET", "/healthz", &[], b"").await.unwrap();
    let readiness = http::call(admin, "GET", "/readyz", &[], b"").await.unwrap();
    let metrics = http::call(admin, "GET", "/metrics", &[], b"").await.unwrap();
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    assert_eq!(readiness.status, 200, "{readiness:?}");
    assert!(metrics.status == 200 && metrics.body.contains("patchbay_"), "{metrics:?}");

    let public = address(&ready, "listen");
    let hook = http::call(public, "POST", "/hooks/nobody", &[], b"{}").await.unwrap();
    let unknown = http::call(public, "GET", "/nowhere", &[], b"").await.unwrap();
    let runs = http::call(public, "GET", "/v1/runs", &[], b"").await.unwrap();
    assert_eq!([hook.status, unknown.status, runs.status], [404, 404, 401]);
    assert_eq!(unknown.json()["code"], "not_found");

    let ended = process.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn grpc_tells_its_health() {
    let folder = tempfile::tempdir().unwrap();
    let (process, ready) = Process::start(command(&up(folder.path(), &[])));
    let url = format!("http://{}", address(&ready, "grpc_listen"));
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
    // Meanwhile the client goes on, which takes leave when the server does.
    let ended = tokio::task::spawn_blocking(|| process.terminate()).await.unwrap();
    assert_eq!(ended.code, Some(0));
}

#[test]
fn unused_connections_do_not_hold_the_end_up() {
    let folder = tempfile::tempdir().unwrap();
    let (process, ready) = Process::start(command(&up(folder.path(), &[])));
    let _fresh = TcpStream::connect(address(&ready, "listen")).unwrap();
    let ended = process.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.errors.contains("cut off"), "{ended:?}");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (process, ready) = Process::start(command(&up(folder.path(), &[])));
    let mut half = TcpStream::connect(address(&ready, "listen")).unwrap();
    half.write_all(b"POST /hooks/x HTTP/1.1\r\nhost: x\r\n").unwrap();
    // An answer to a later connection shows that the first one is being read.
    http::call(address(&ready, "listen"), "GET", "/nowhere", &[], b"").await.unwrap();
    process.signal(Signal::TERM);
    let public = address(&ready, "listen");
    wait_for("the first signal", PATIENCE, async || TcpStream::connect(public).is_err().then_some(())).await;
    let readiness = http::call(address(&ready, "admin_listen"), "GET", "/readyz", &[], b"").await.unwrap();
    assert!(readiness.status == 503 && readiness.body.contains("process: shutting down\n"), "{readiness:?}");

    process.signal(Signal::TERM);
    let ended = process.ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains("second signal"), "{ended:?}");
}

#[tokio::test]
async fn it_lingers_until_it_was_noticed_that_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(&up(folder.path(), &[]));
    command.env("PATCHBAY__SHUTDOWN__LINGER", "10m");
    let (process, ready) = Process::start(command);
    process.signal(Signal::TERM);
    let admin = address(&ready, "admin_listen");
    let readiness = wait_for("the first signal", PATIENCE, async || {
        let readiness = http::call(admin, "GET", "/readyz", &[], b"").await.unwrap();
        (readiness.status == 503).then_some(readiness)
    })
    .await;
    assert!(readiness.body.contains("process: shutting down\n"), "{readiness:?}");
    let hook = http::call(address(&ready, "listen"), "POST", "/hooks/nobody", &[], b"{}").await.unwrap();
    assert_eq!(hook.status, 404, "requests are still taken");
    // Who sends a second signal does not want to wait so long: what follows is the end in order all the same.
    let ended = process.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn the_sandbox_runs_alone() {
    let mut child = command(&["sandbox", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let process = Process::of(child);
    let sandbox = line.trim().strip_prefix("ready listen=http://").unwrap();
    let health = http::call(sandbox, "GET", "/_/healthz", &[], b"").await.unwrap();
    assert_eq!(health.status, 200, "{health:?}");
    assert_eq!(process.terminate().code, Some(0));
}

#[test]
fn ctrl_c_ends_it_too_and_the_directory_can_be_used_again() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (process, _) = Process::start(command(&up(folder.path(), &[])));
        process.signal(Signal::INT);
        let ended = process.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

#[test]
fn a_second_process_on_the_same_directory_is_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = Process::start(command(&up(folder.path(), &[])));
    let second = run(&up(folder.path(), &[]));
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.errors.contains(folder.path().to_str().unwrap()), "{second:?}");
    assert!(second.errors.contains("in use by another process") && second.errors.contains("\nhint: "), "{second:?}");
    assert_eq!(first.terminate().code, Some(0));
}

#[test]
fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = folder.path().to_str().unwrap();
    let ended = run(&["up", "--data-dir", data, "--listen", &address, "--grpc-listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains(&address) && ended.errors.contains("--listen"), "{ended:?}");
}

#[test]
fn another_master_key_is_refused_with_its_fingerprint() {
    let folder = tempfile::tempdir().unwrap();
    let (process, _) = Process::start(command(&up(folder.path(), &[])));
    assert_eq!(process.terminate().code, Some(0));
    fs::remove_file(folder.path().join("master.keys")).unwrap();

    let ended = run(&up(folder.path(), &[]));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains("fingerprint") && ended.errors.contains("\nhint: "), "{ended:?}");
    assert_eq!(ended.output, "");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut starting = command(&up(folder.path(), &[]));
    starting.stderr(fs::File::options().write(true).open("/dev/full").unwrap());
    let (process, ready) = Process::start(starting);
    let login = http::call(address(&ready, "listen"), "POST", "/user/auth", &[], b"{}").await.unwrap();
    assert_eq!(login.status, 415);
    assert_eq!(process.terminate().code, Some(0));
}
