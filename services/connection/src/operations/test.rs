//! One call to the partner that tells whether a connection works.

use std::{sync::Arc, time::Duration};

use patchbay_connector::{Connector, Operation};
use patchbay_egress::{Request, destination};
use patchbay_flow::expression::{Value, parse_json};
use patchbay_types::{ConnectionId, Fault, Timestamp, WorkspaceId, fault::Code};
use zeroize::Zeroizing;

use super::{Connections, rules};
use crate::{
    Error,
    domain::{Fields, Finding, Status, Tested},
    telemetry,
    verdict::{Call, Cover, Verdict},
};

impl Connections {
    /// Tests a connection, whatever its status. A refused credential marks an active connection, and a credential that
    /// works makes one active that needed reauthorization, each unless the connection changed meanwhile.
    pub(crate) async fn test(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Tested, Error> {
        let stored = self.store.credential(id).await?.filter(|stored| stored.workspace == workspace);
        let stored = stored.ok_or_else(|| rules::no_connection(id))?;
        let connector = Arc::clone(self.connector_of(id, &stored.partner)?);
        let test = connector.test().ok_or_else(|| no_test(&connector))?;
        let (status, revision) = (stored.status, stored.revision);
        let (began, tested_at) = (self.clock.since_boot(), self.clock.now());
        let verdict = match self.open(id, stored)? {
            Some(fields) => self.call(&connector, test, &fields, tested_at).await,
            None => Verdict::unreadable(),
        };
        let duration = self.clock.since_boot().saturating_sub(began);
        self.learn(id, status, revision, verdict.finding).await?;
        telemetry::tested(id, verdict.finding);
        let Verdict { finding, message, partner_status, partner_answer } = verdict;
        Ok(Tested { finding, message, partner_status, partner_answer, duration, tested_at })
    }

    async fn call(&self, connector: &Connector, test: &Operation, fields: &Fields, at: Timestamp) -> Verdict {
        let cover = Cover::of(connector, fields);
        let connection = value(fields);
        let input = Value::from_pairs(Vec::<(&str, Value)>::new());
        let key = format!("connection-test.{}", at.as_micros());
        let request = match test.request(&connection, &input, &key) {
            Ok(request) => self.bounded(request),
            Err(fault) => return Verdict::unbuildable(&fault, &cover),
        };
        let destination = destination(&request.url).unwrap_or_else(|| "the partner".to_owned());
        let call = Call { partner: &connector.partner().title, destination: &destination, timeout: request.timeout };
        match self.egress.send(request).await {
            Ok(answer) => {
                let outcome = test.interpret(&connection, &input, Ok(&answer));
                call.judge(&answer, outcome, &cover)
            }
            Err(error) => call.judge_unanswered(&error, &cover),
        }
    }

    fn bounded(&self, mut request: Request) -> Request {
        request.timeout = request.timeout.min(self.config.test_timeout).max(Duration::from_millis(1));
        request
    }

    /// Brings the status to what the test has shown.
    async fn learn(&self, id: ConnectionId, status: Status, revision: i64, finding: Finding) -> Result<(), Error> {
        match (finding, status) {
            (Finding::Rejected | Finding::NeedsReauthorization, Status::Active) => {
                self.report_refused(id, revision).await
            }
            (Finding::Ok, Status::NeedsReauthorization) => self.report_proven(id, revision).await,
            _ => Ok(()),
        }
    }

    async fn report_proven(&self, id: ConnectionId, revision: i64) -> Result<(), Error> {
        let mut change = self.store.change().await?;
        if !change.mark_proven(id, revision, self.clock.now()).await? {
            return Ok(());
        }
        change.commit().await?;
        telemetry::proven(id);
        Ok(())
    }

    fn connector_of(&self, id: ConnectionId, partner: &str) -> Result<&Arc<Connector>, Fault> {
        self.catalog.connector(partner).ok_or_else(|| {
            let message = format!("connection {id} is one to `{partner}`, for which there is no connector any more");
            Fault::new(Code::FailedPrecondition, message)
        })
    }
}

fn no_test(connector: &Connector) -> Fault {
    let title = &connector.partner().title;
    let message =
        format!("the connector of {title} has no test; run an automation to see whether the connection works");
    Fault::new(Code::FailedPrecondition, message)
}

fn value(fields: &Fields) -> Value {
    let text = Zeroizing::new(serde_json::to_vec(fields).unwrap_or_default());
    parse_json(&text).unwrap_or_default()
}
