//! Peers that check each other's certificates.

use std::time::Duration;

use patchbay_runtime::Clock;
use patchbay_service::{
    Role,
    access::{Access, Tls},
    peer,
};
use patchbay_testing::wait_for;
use tonic::Code;

use crate::{
    authority::{Authority, Files, ending_in, load},
    process::{Caller, PATIENCE, Process, TOKEN, access, options},
};

fn with(tls: Tls) -> Access {
    access(TOKEN, Some(tls))
}

/// Of a certificate that has ended by now.
async fn ended(ours: &Authority, name: &str) -> Tls {
    let tls = ours.load(&ours.issue(name, ending_in(Duration::from_secs(1)))).unwrap();
    let check = tls.check(Clock::system());
    wait_for("the end of the certificate", PATIENCE, async || check.holds().err()).await;
    tls
}

async fn expect_complaint(caller: &Caller, expected: String) {
    caller.complains(&expected).await;
    let status = caller.create().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, format!("connection {expected}").as_str()));
}

#[tokio::test]
async fn peers_of_one_authority_talk() {
    let ours = Authority::new("ours");
    let process = Process::start(with(ours.tls())).await;
    for address in [process.https(), format!("https://localhost:{}", process.address.port())] {
        let caller = Caller::with(&address, &with(ours.tls()), &options());
        assert_eq!(caller.create().await.unwrap(), 4);
        caller.found().await;
    }
}

#[tokio::test]
async fn a_caller_without_tls_says_that_nobody_speaks() {
    let process = Process::start(with(Authority::new("ours").tls())).await;
    let caller = Caller::of(&process.http());
    let cause = "it is either busy or no gRPC listener without TLS; no word from it within 1s";
    expect_complaint(&caller, format!("can't be reached at {}: {cause}", process.http())).await;
}

#[tokio::test]
async fn a_peer_without_tls_is_told_from_one_that_is_away() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::with(&process.https(), &with(Authority::new("ours").tls()), &options());
    let cause = "write http://, or set service_auth.certificate there";
    expect_complaint(&caller, format!("does not speak TLS at {}: {cause}", process.https())).await;
}

#[tokio::test]
async fn an_expired_certificate_of_the_peer_is_named() {
    let ours = Authority::new("ours");
    let process = Process::start(with(ended(&ours, "short").await)).await;
    let caller = Caller::with(&process.https(), &with(ours.tls()), &options());
    expect_complaint(&caller, format!("can't be trusted at {}: its certificate has expired", process.https())).await;
}

#[tokio::test]
async fn an_expired_certificate_of_ours_is_named() {
    let ours = Authority::new("ours");
    let process = Process::start(with(ours.tls())).await;
    let caller = Caller::with(&process.https(), &with(ended(&ours, "short").await), &options());
    expect_complaint(&caller, format!("refuses our certificate at {}: it has expired", process.https())).await;
}

#[tokio::test]
async fn a_peer_of_an_unknown_authority_is_not_trusted() {
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    let process = Process::start(with(others.tls())).await;
    let caller = Caller::with(&process.https(), &with(ours.tls()), &options());
    let cause = "its certificate was not made by the authority in service_auth.authority";
    expect_complaint(&caller, format!("can't be trusted at {}: {cause}", process.https())).await;
}

#[tokio::test]
async fn a_caller_of_an_unknown_authority_is_refused() {
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    let process = Process::start(with(ours.tls())).await;
    // It believes both, but has its own certificate from the other one.
    let foreign = others.issue("foreign", |_| ());
    let both = others.path("both.pem");
    let texts = [ours.file(), others.file()].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(&both, texts.concat()).unwrap();
    let tls = load(&Files { certificate: foreign.certificate, key: foreign.key }, &both).unwrap();

    let caller = Caller::with(&process.https(), &with(tls), &options());

    let cause = "it was not made by the authority in its service_auth.authority";
    expect_complaint(&caller, format!("refuses our certificate at {}: {cause}", process.https())).await;
    assert_eq!(process.role.calls("Create"), 0);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let ours = Authority::new("ours");
    let files = ours.issue("elsewhere", |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("automation.example.org".try_into().unwrap())];
    });
    let process = Process::start(with(ours.load(&files).unwrap())).await;
    let caller = Caller::with(&process.https(), &with(ours.tls()), &options());
    let expected = format!("can't be trusted at {}: its certificate is for another name", process.https());
    expect_complaint(&caller, expected).await;
}

#[tokio::test]
async fn addresses_that_would_show_secrets_are_refused() {
    let tasks = patchbay_runtime::Tasks::default();
    let plain = access(TOKEN, None);
    let refusal = |address: &str| {
        let address = address.parse().unwrap();
        peer::connect(Role::Automation, &address, &plain, &options(), &tasks).unwrap_err().to_string()
    };
    assert!(refusal("http://10.0.0.7:8081").starts_with("http://10.0.0.7:8081 needs TLS, because it is not loopback"));
    assert!(refusal("https://automation:8081").starts_with("https://automation:8081 needs a certificate"));
}
