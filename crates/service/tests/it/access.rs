//! Certificates and keys as they are loaded, and as time goes on.

use std::{fs, net::SocketAddr, time::Duration};

use patchbay_runtime::Clock;
use patchbay_service::access::{Access, Error};

use crate::authority::{Authority, Files, beginning_in, ended, ending_in, load, only_for_servers};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn refusal(loaded: Result<patchbay_service::access::Tls, Error>) -> String {
    loaded.unwrap_err().to_string()
}

#[test]
fn a_good_certificate_is_loaded_and_holds() {
    let tls = Authority::new("ours").tls();
    let check = tls.check(Clock::system());
    assert_eq!((check.name(), check.holds()), ("certificate", Ok(())));
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let ours = Authority::new("ours");
    let good = ours.issue("good", |_| ());
    let (missing, empty, torn) = (ours.path("missing.pem"), ours.path("empty.pem"), ours.path("torn.pem"));
    fs::write(&empty, "").unwrap();
    fs::write(&torn, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();

    let of = |certificate, key| refusal(ours.load(&Files { certificate, key }));
    assert!(of(missing.clone(), good.key.clone()).starts_with(&format!("{} can't be read: ", missing.display())));
    assert_eq!(of(empty.clone(), good.key.clone()), format!("{} has no certificate in PEM", empty.display()));
    assert_eq!(of(good.certificate.clone(), empty.clone()), format!("{} has no private key in PEM", empty.display()));
    let said = of(torn.clone(), good.key.clone());
    assert!(said.starts_with(&format!("the certificate in {} can't be used: ", torn.display())), "{said}");
    assert_eq!(refusal(load(&good, &empty)), format!("{} has no certificate in PEM", empty.display()));
    let said = refusal(load(&good, &torn));
    assert!(said.starts_with(&format!("the certificate in {} can't be used: ", torn.display())), "{said}");
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let ours = Authority::new("ours");
    let (one, two) = (ours.issue("one", |_| ()), ours.issue("two", |_| ()));
    let mixed = Files { certificate: one.certificate.clone(), key: two.key.clone() };
    let expected =
        format!("the key in {} does not fit the certificate in {}", two.key.display(), one.certificate.display());
    assert_eq!(refusal(ours.load(&mixed)), expected);
}

#[test]
fn what_peers_would_refuse_is_refused_at_once() {
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    let said = |files: &Files| {
        let start = format!("the certificate in {} ", files.certificate.display());
        refusal(ours.load(files)).strip_prefix(&start).unwrap().to_owned()
    };
    assert_eq!(said(&ours.issue("old", ended)), "has expired at 2021-01-01T00:00:00.000000Z");
    assert!(said(&ours.issue("early", beginning_in(DAY))).starts_with("is not valid before 2"));
    assert_eq!(said(&others.issue("foreign", |_| ())), "was not made by the authority in service_auth.authority");
    let purpose = "must be for servers and for clients (extended key usage)";
    assert_eq!(said(&ours.issue("servers", only_for_servers)), purpose);
}

#[test]
fn a_certificate_that_expires_while_running_fails_its_check() {
    let ours = Authority::new("ours");
    let files = ours.issue("short", ending_in(5 * DAY));
    let clock = Clock::adjustable();
    let check = ours.load(&files).unwrap().check(clock.clone());

    assert_eq!(check.holds(), Ok(()));
    clock.advance(6 * DAY);

    let said = check.holds().unwrap_err();
    let start = format!("the certificate in {} has expired at 2", files.certificate.display());
    assert!(said.starts_with(&start), "{said}");
    assert!(said.ends_with("; put a new one there and restart"), "{said}");
}

#[test]
fn without_tls_only_loopback_is_listened_on() {
    let token = "0123456789abcdef".parse().unwrap();
    let plain = Access { token, tls: None };
    let secured = Access { tls: Some(Authority::new("ours").tls()), ..plain.clone() };
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    for loopback in ["127.0.0.1:0", "[::1]:0"] {
        plain.may_listen(address(loopback)).unwrap();
    }
    for public in ["0.0.0.0:8081", "[::]:8081", "10.0.0.7:8081"] {
        let said = plain.may_listen(address(public)).unwrap_err().to_string();
        assert!(said.starts_with(&format!("listening for peers on {public} needs TLS")), "{said}");
        secured.may_listen(address(public)).unwrap();
    }
}
