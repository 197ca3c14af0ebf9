//! Hosts as people type them into a connection.

use http::uri::Authority;

/// Refuses what is no host, with or without `http://` or `https://` before it and a port behind.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let host = strip_scheme(text).unwrap_or(text);
    let authority: Authority = host.parse().map_err(|_| expected(text))?;
    let name_is_plain = authority.host().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    let port_is_there = authority.as_str() == authority.host() || authority.port_u16().is_some_and(|port| port > 0);
    let parts = authority.host().trim_matches(['[', ']']);
    let has_user = host.contains('@');
    if parts.is_empty() || !name_is_plain || !port_is_there || has_user {
        return Err(expected(text));
    }
    Ok(())
}

fn expected(text: &str) -> String {
    let shown: String = text.chars().take(100).collect();
    format!("expected a host like `ru.altkraft.com` or `http://10.0.0.5:8080`, without a path, found `{shown}`")
}

/// `https://http://host/path` becomes `http://host/path`: a host that carries a scheme replaces the one before it.
pub(crate) fn resolve_scheme(url: &str) -> &str {
    match strip_scheme(url) {
        Some(rest) if strip_scheme(rest).is_some() => rest,
        _ => url,
    }
}

fn strip_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_hosts_with_and_without_scheme_and_port() {
        let hosts = ["ru.altkraft.com", "https://ru.altkraft.com", "http://127.0.0.1:8090", "localhost:1", "[::1]:80"];
        for host in hosts {
            assert_eq!(check(host), Ok(()), "{host}");
        }
    }

    #[test]
    fn refuses_what_is_more_or_less_than_a_host() {
        let texts = [
            "",
            "https://",
            "ftp://host",
            "host/path",
            "host?x=1",
            "user@host",
            "http://user:password@127.0.0.1:8090",
            "ho st",
            "host:",
            "host:99999",
            "host:0",
            "http://http://host",
            ":80",
            "host#a",
            "хост",
            "host\n",
        ];
        for text in texts {
            assert!(check(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_scheme_of_the_host_replaces_the_one_before_it() {
        assert_eq!(resolve_scheme("https://http://127.0.0.1:8090/api"), "http://127.0.0.1:8090/api");
        assert_eq!(resolve_scheme("http://https://a/b"), "https://a/b");
        assert_eq!(resolve_scheme("https://a/https://b"), "https://a/https://b");
    }
}
