//! A workspace's connections, page by page.

use patchbay_types::WorkspaceId;

use super::Connections;
use crate::{
    Error,
    domain::{Connection, Page},
};

const DEFAULT_LIMIT: i64 = 50;
const LARGEST_LIMIT: i64 = 1_000;
/// A page ends when its fields have this many bytes, far below what a message may have.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

impl Connections {
    /// Connections with ids above `after`. A limit of 0 is the default one; larger than 1,000 is 1,000.
    pub(crate) async fn list(&self, workspace: WorkspaceId, after: i64, limit: i64) -> Result<Page, Error> {
        let limit = if limit <= 0 { DEFAULT_LIMIT } else { limit.min(LARGEST_LIMIT) };
        let found = self.store.list(workspace, after, limit + 1).await?;
        Ok(page(found, usize::try_from(limit).unwrap_or(usize::MAX)))
    }
}

fn page(found: Vec<Connection>, limit: usize) -> Page {
    let count = found.len();
    let mut bytes = 0;
    let mut connections = Vec::with_capacity(count.min(limit));
    for connection in found {
        if connections.len() == limit || bytes >= PAGE_BYTES {
            break;
        }
        bytes += connection.shown.iter().map(|(name, value)| name.len() + value.to_string().len()).sum::<usize>();
        connections.push(connection);
    }
    let next_after =
        connections.last().filter(|_| connections.len() < count).map(|connection: &Connection| connection.id);
    Page { connections, next_after }
}

#[cfg(test)]
mod tests {
    use patchbay_types::{ConnectionId, Timestamp};

    use super::*;
    use crate::domain::{Fields, Status};

    fn connection(id: i64, text: &str) -> Connection {
        Connection {
            id: ConnectionId::new(id),
            workspace: WorkspaceId::new(1),
            partner: "altcraft".to_owned(),
            title: "Altcraft".to_owned(),
            status: Status::Active,
            shown: Fields::from([("host".to_owned(), text.into())]),
            concurrency: None,
            created_at: Timestamp::from_micros(0),
            updated_at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_page_ends_at_its_limit() {
        let page = page(vec![connection(3, ""), connection(5, ""), connection(9, "")], 2);
        let expected =
            Page { connections: vec![connection(3, ""), connection(5, "")], next_after: Some(ConnectionId::new(5)) };
        assert_eq!(page, expected);
    }

    #[test]
    fn the_last_page_has_no_next() {
        let page = page(vec![connection(3, "")], 1);
        assert_eq!(page, Page { connections: vec![connection(3, "")], next_after: None });
    }

    #[test]
    fn a_page_ends_at_its_bytes() {
        let large = "x".repeat(PAGE_BYTES);
        let page = page(vec![connection(1, &large), connection(2, "")], 10);
        assert_eq!(page.next_after, Some(ConnectionId::new(1)));
    }
}
