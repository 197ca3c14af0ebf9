//! What a caller must know of a method before it calls.

/// One method of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// As in a request's URI: `/patchbay.connection.v1.ConnectionService/Get`.
    pub path: &'static str,
    /// Calling it twice does no more than calling it once: its `idempotency_level` is `NO_SIDE_EFFECTS` or `IDEMPOTENT`.
    pub repeatable: bool,
    /// It answers with a stream, whose length nobody knows.
    pub streams: bool,
}

impl Method {
    /// All methods, ordered by their paths.
    pub const ALL: &'static [Self] = include!(concat!(env!("OUT_DIR"), "/methods.rs"));

    /// The method with this path.
    #[must_use]
    pub fn find(path: &str) -> Option<&'static Self> {
        let position = Self::ALL.binary_search_by(|method| method.path.cmp(path)).ok()?;
        Self::ALL.get(position)
    }

    /// The full name of its service: `patchbay.connection.v1.ConnectionService`.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.path.trim_start_matches('/').split('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_may_be_repeated() {
        let find = |path: &str| Method::find(path).copied();
        let method = |path, repeatable, streams| Some(Method { path, repeatable, streams });
        let get = "/patchbay.connection.v1.ConnectionService/Get";
        let create = "/patchbay.connection.v1.ConnectionService/Create";
        let tail = "/patchbay.event.v1.EventService/Tail";
        assert_eq!(find(get), method(get, true, false));
        assert_eq!(find(create), method(create, false, false));
        assert_eq!(find(tail), method(tail, true, true));
        assert_eq!(find("/patchbay.connection.v1.ConnectionService/Nothing"), None);
        assert_eq!(find(get).unwrap().service(), "patchbay.connection.v1.ConnectionService");
    }

    #[test]
    fn what_creates_publishes_or_replays_is_never_repeated() {
        for method in Method::ALL {
            let name = method.path.rsplit('/').next().unwrap();
            let acts = ["Create", "Delete", "Test", "ReplayRun", "CancelRun", "ReplayDeadLetter", "DropDeadLetter"];
            assert!(!(acts.contains(&name) && method.repeatable), "{method:?}");
        }
        assert!(!Method::find("/patchbay.automation.v1.AutomationService/Publish").unwrap().repeatable);
    }
}
