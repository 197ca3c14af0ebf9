//! Who may call a role's services, and how both ends are sure of each other.

mod error;
mod tls;
mod token;

use std::net::SocketAddr;

pub use error::Error;
pub use tls::Tls;
pub use token::ServiceToken;

/// What a process shows its peers, and asks of them.
#[derive(Debug, Clone)]
pub struct Access {
    /// `service_auth.token`, the same in every process.
    pub token: ServiceToken,
    /// `service_auth.certificate`, `.key` and `.authority`; none where all peers are on this machine.
    pub tls: Option<Tls>,
}

impl Access {
    /// Whether peers may be listened for on `address`: secrets travel there, so without TLS only on loopback.
    ///
    /// # Errors
    /// [`Error::NeedsTls`].
    pub fn may_listen(&self, address: SocketAddr) -> Result<(), Error> {
        if self.tls.is_some() || address.ip().is_loopback() {
            return Ok(());
        }
        Err(Error::NeedsTls { address })
    }
}
