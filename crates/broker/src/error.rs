//! What goes wrong.

use std::io;
use std::path::{Path, PathBuf};

/// Why a broker can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker was closed.
    #[error("the broker is closed")]
    Closed,
    /// Another process, or another broker of this one, works in the directory.
    #[error("{} is in use by another broker; stop it, or give this one a directory of its own", directory.display())]
    Locked {
        /// The directory of the broker.
        directory: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what was written to it.
    #[error(
        "{} is damaged at byte {offset}: {what}; restore it from a backup, or move it and the files \
         `acknowledged.*` beside it away to go on without its messages",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damage begins.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// Messages that nobody acknowledged are not on disk.
    #[error(
        "messages {from} to {until} of {} are missing; restore the files from a backup, or move the files \
         `acknowledged.*` away to go on without them",
        directory.display()
    )]
    Missing {
        /// The directory of the topic.
        directory: PathBuf,
        /// The first missing message.
        from: u64,
        /// The first one that is there again.
        until: u64,
    },
    /// The address of the broker can't be used.
    #[error("the address of the broker can't be used: {why}")]
    Address {
        /// What is wrong with it. Never the address itself, which may hold a password.
        why: String,
    },
    /// The file of an authority can't be used.
    #[error("{} {why}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it: the end of a sentence.
        why: String,
    },
    /// The broker proves nothing, or can't be spoken with by TLS.
    #[error("no TLS with the broker at {at}: {why}")]
    Tls {
        /// Where the broker is.
        at: String,
        /// Why, and what to do.
        why: String,
    },
    /// Something else answers than a broker.
    #[error("what answers at {at} does not speak AMQP 0-9-1; check the port: one that speaks TLS needs amqps://")]
    Protocol {
        /// Where it is.
        at: String,
    },
    /// The broker knows no such user, or by another password.
    #[error("the broker at {at} refuses user {user}; check the user and the password in its address")]
    Credentials {
        /// Where the broker is.
        at: String,
        /// The user.
        user: String,
    },
    /// The user can't work in the virtual host.
    #[error(
        "user {user} can't use virtual host {vhost} of the broker at {at} ({said}); create it with \
         `rabbitmqctl add_vhost`, or let the user in with `rabbitmqctl set_permissions`"
    )]
    VirtualHost {
        /// Where the broker is.
        at: String,
        /// The user.
        user: String,
        /// The virtual host.
        vhost: String,
        /// What the broker says.
        said: String,
    },
    /// The user may not do what the adapter needs.
    #[error(
        "user {user} has no {permission} permission for {name} in virtual host {vhost}; grant it with \
         `rabbitmqctl set_permissions`{}", if *permission == "configure" { ", or declare it as somebody who has it" } else { "" }
    )]
    Permission {
        /// The user.
        user: String,
        /// The virtual host.
        vhost: String,
        /// Which permission: `configure`, `write` or `read`.
        permission: &'static str,
        /// Of which queue or exchange.
        name: String,
    },
    /// A queue or exchange exists, and is another one than the adapter needs.
    #[error(
        "{name} exists with another {argument} than ours ({said}); set ours to the same, or delete it when it is empty, \
         and it is declared anew"
    )]
    Inequivalent {
        /// Which queue or exchange.
        name: String,
        /// What differs.
        argument: String,
        /// What the broker says.
        said: String,
    },
    /// The broker can't be reached now.
    #[error("the broker is unavailable: {0}")]
    Unavailable(String),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), source }
    }
}

/// Why a publish confirmed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The disk or a bound is reached. Nothing was accepted; try again when consumers have caught up or there is room.
    #[error("the broker is full: {0}")]
    Full(String),
    /// A message is larger than the broker takes. Nothing was accepted, and trying again does not help.
    #[error("the message has {bytes} bytes, more than the {limit} that the broker takes; send less")]
    TooLarge {
        /// Its size as stored.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// The broker was closed. Nothing was accepted.
    #[error("the broker is closed")]
    Closed,
    /// The broker could not confirm. Some messages may still be delivered; try again later.
    #[error("the broker could not confirm: {0}")]
    Unavailable(String),
}
