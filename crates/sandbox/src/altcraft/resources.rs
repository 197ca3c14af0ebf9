//! Subscription resources.

use crate::altcraft::envelope::Refusal;

/// What profiles subscribe to.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) channels: &'static [&'static str],
    pub(crate) databases: &'static [i64],
}

/// The resources of the account.
pub(crate) const ALL: [Resource; 3] = [
    Resource { id: 2, name: "Newsletter", channels: &["email", "sms"], databases: &[7, 8] },
    Resource { id: 5, name: "Mobile app", channels: &["push"], databases: &[7] },
    Resource { id: 6, name: "Messengers", channels: &["notify", "viber", "whatsapp", "telegram_bot"], databases: &[7] },
];

pub(crate) fn find(id: i64) -> Result<&'static Resource, Refusal> {
    ALL.iter().find(|resource| resource.id == id).ok_or_else(|| Refusal::not_found(format!("Resource {id} not found")))
}
