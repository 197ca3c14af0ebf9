//! Messages that carry secrets say only their name.

use std::fmt;

use crate::connection::{
    internal::v1::{HookKey, HookKeysResponse, IssueCredentialResponse},
    v1::{CreateConnectionRequest, UpdateConnectionRequest},
};

macro_rules! secretive {
    ($($message:ident),+) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($message), "(••)"))
            }
        })+
    };
}

secretive!(CreateConnectionRequest, HookKey, HookKeysResponse, IssueCredentialResponse, UpdateConnectionRequest);
