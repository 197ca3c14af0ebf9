//! The lists of an account are asked for again.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};
use patchbay_types::{ConnectionId, Fault, WorkspaceId};

use super::{AT_ONCE, Directory};
use crate::domain::{Account, Inputs, Question, Refreshed};

impl Directory {
    /// Asks the partner for every list that was asked for before, and for those that depend on nothing. One that can't
    /// be had does not keep the others.
    pub(crate) async fn refresh(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<Refreshed>, Fault> {
        let account = self.account(workspace, connection).await?;
        let deadline = self.lists.deadline();
        let questions = self.questions(&account).await?;
        let answers: Vec<_> = stream::iter(questions)
            .map(|question| async move {
                let list = question.list.name().to_owned();
                (list, self.lists.renew(question, deadline).await)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut refreshed: BTreeMap<String, Refreshed> = BTreeMap::new();
        for (list, answer) in answers {
            let entry = refreshed.entry(list).or_insert_with_key(|list| Refreshed {
                list: list.clone(),
                options: 0,
                error: None,
            });
            match answer {
                Ok(kept) => entry.options += kept.entries.len(),
                Err(fault) => {
                    entry.error.get_or_insert(fault.message);
                }
            }
        }
        Ok(refreshed.into_values().collect())
    }

    async fn questions(&self, account: &Account) -> Result<Vec<Question>, Fault> {
        let mut asked = self.lists.asked(account).await?;
        let lists = account.connector.lists();
        let standing = lists.iter().filter(|list| list.depends_on().is_empty());
        for list in standing {
            if !asked.iter().any(|(name, _)| name == list.name()) {
                asked.push((list.name().to_owned(), Inputs::new()));
            }
        }
        let question = |(name, inputs): (String, Inputs)| {
            let list = account.connector.list(&name).filter(|list| !list.is_static())?;
            // One that depends on other fields since a newer manifest can't be asked for any more.
            let fits = inputs.len() == list.depends_on().len()
                && list.depends_on().iter().all(|field| inputs.contains_key(field));
            fits.then(|| Question { account: account.clone(), list: Arc::clone(list), inputs })
        };
        Ok(asked.into_iter().filter_map(question).collect())
    }
}
