//! How a call ended.

use patchbay_egress::{Response, SendError};
use patchbay_flow::expression::{Scope, Value};

use super::Operation;
use crate::{
    call::{misread, unanswered},
    outcome::Outcome,
};

impl Operation {
    /// Reads how a call ended. Any answer can be read: bodies may be empty, HTML or text.
    #[must_use]
    pub fn interpret(&self, connection: &Value, input: &Value, answer: Result<&Response, &SendError>) -> Outcome {
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                let secrets = self.http.secrets(connection);
                return Outcome::Failed(unanswered(error.kind, error.sent, &error.to_string(), &secrets));
            }
        };
        let scope = self.http.scope(input, response, self.sees_headers);
        let success = self.success.as_ref().unwrap_or(&self.http.success);
        match self.http.judge(success, &scope, connection, response) {
            Ok(()) => self.succeeded(&scope, connection, response),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    fn succeeded(&self, scope: &Scope, connection: &Value, response: &Response) -> Outcome {
        let mut output = Vec::with_capacity(self.output.len());
        for (key, expression) in &self.output {
            match expression.evaluate(scope) {
                Ok(value) if value.is_undefined() => {}
                Ok(value) => output.push((key.as_str(), value)),
                Err(error) => {
                    let secrets = self.http.secrets(connection);
                    let place = format!("output.{key}");
                    return Outcome::Failed(misread(&place, &error.to_string(), response, &secrets));
                }
            }
        }
        Outcome::Succeeded { output: Value::from_pairs(output) }
    }
}
