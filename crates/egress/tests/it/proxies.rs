//! Proxies of the environment are not used.

use std::net::TcpListener;
use std::process::Command;

use crate::server::{OK, Server};
use crate::{egress, get};

const TARGET: &str = "PATCHBAY_TEST_PROXY_TARGET";

#[tokio::test]
async fn goes_past_a_proxy_of_the_environment() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let proxy_url = format!("http://{}", proxy.local_addr().unwrap());
    let server = Server::answering(OK);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "proxies::calls_the_target_as_a_child", "--ignored"]).env(TARGET, server.url("/direct"));
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &proxy_url);
    }

    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(server.seen().await.starts_with("GET /direct HTTP/1.1\r\n"));
    assert!(proxy.accept().is_err(), "somebody called the proxy");
}

#[tokio::test]
#[ignore = "runs only as a child of the test above"]
async fn calls_the_target_as_a_child() {
    #[expect(clippy::disallowed_methods, reason = "the parent says it this way")]
    let target = std::env::var(TARGET).unwrap();
    assert_eq!(egress().send(get(target)).await.unwrap().body, "ok");
}
