//! What actions and triggers say about themselves.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Operation, Partner, Trigger};

/// Who an action or a trigger is.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) partner: Arc<Partner>,
    pub(crate) key: String,
    /// The key with the partner before it.
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) titles: BTreeMap<String, String>,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) sample: serde_json::Value,
}

/// Hands on what a type that holds an [`About`] says about itself.
macro_rules! says_about_itself {
    ($owner:ty) => {
        impl $owner {
            /// The key inside its partner, such as `import_profile`.
            #[must_use]
            pub fn key(&self) -> &str {
                &self.about.key
            }

            /// The name that automations use, such as `altcraft.import_profile`.
            #[must_use]
            pub fn name(&self) -> &str {
                &self.about.name
            }

            /// The stable number of the Universal API.
            #[must_use]
            pub fn id(&self) -> u64 {
                self.about.id
            }

            /// Whose it is.
            #[must_use]
            pub fn partner(&self) -> &Partner {
                &self.about.partner
            }

            /// What people read.
            #[must_use]
            pub fn title(&self) -> &str {
                &self.about.title
            }

            /// The title by language, where it differs.
            #[must_use]
            pub fn titles(&self) -> &BTreeMap<String, String> {
                &self.about.titles
            }

            /// A longer explanation; may be empty.
            #[must_use]
            pub fn description(&self) -> &str {
                &self.about.description
            }

            /// Whether new automations should not use it.
            #[must_use]
            pub fn deprecated(&self) -> bool {
                self.about.deprecated
            }

            /// An example of its output, or of an event; null when there is none.
            #[must_use]
            pub fn sample(&self) -> &serde_json::Value {
                &self.about.sample
            }
        }
    };
}

says_about_itself!(Operation);
says_about_itself!(Trigger);
