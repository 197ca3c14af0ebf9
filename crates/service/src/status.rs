//! Faults as gRPC statuses, and back.

use patchbay_types::fault::{Code, Fault};
use tonic::{Status, metadata::MetadataValue};

const CODE: &str = "patchbay-code";
const FIELD: &str = "patchbay-field";

/// The status that carries this fault.
#[must_use]
pub fn from_fault(fault: &Fault) -> Status {
    let mut status = Status::new(tonic::Code::from_i32(fault.code.grpc()), fault.message.clone());
    status.metadata_mut().insert(CODE, MetadataValue::from_static(fault.code.name()));
    if let Some(field) = fault.field.as_deref().and_then(|field| MetadataValue::try_from(field).ok()) {
        status.metadata_mut().insert(FIELD, field);
    }
    status
}

/// The fault that a peer's status carries.
#[must_use]
pub fn to_fault(status: &Status) -> Fault {
    let text = |key: &str| status.metadata().get(key).and_then(|value| value.to_str().ok());
    let code = text(CODE).and_then(Code::from_name).unwrap_or_else(|| Code::from_grpc(status.code() as i32));
    Fault { code, message: status.message().to_owned(), field: text(FIELD).map(str::to_owned) }
}

/// The fault of a call to `peer`, for whoever asked us. What the peer says of the request is told on. Anything else is no
/// fault of the caller: the way to the peer is broken, or it does not know us. That is `Unavailable` or `Timeout` and names
/// the peer; the reason is for the operator.
#[must_use]
pub fn of_peer(peer: &str, status: &Status) -> Fault {
    if status.metadata().contains_key(CODE) {
        return to_fault(status);
    }
    tracing::warn!(peer, code = ?status.code(), reason = status.message(), "peer can't be asked");
    match status.code() {
        tonic::Code::DeadlineExceeded => {
            Fault::new(Code::Timeout, format!("the {peer} service did not answer in time; try again"))
        }
        _ => Fault::new(Code::Unavailable, format!("the {peer} service can't be asked now; try again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_the_wire() {
        for code in Code::ALL {
            let fault = Fault::new(code, "it went wrong").with_field("steps[0].input");
            assert_eq!(to_fault(&from_fault(&fault)), fault);
        }
    }

    #[test]
    fn a_broken_way_to_a_peer_is_no_fault_of_the_caller() {
        let refused = Fault::new(Code::NotFound, "connection 7");
        assert_eq!(of_peer("connection", &from_fault(&refused)), refused);
        for (status, code) in [
            (Status::unavailable("can't be reached at http://10.0.0.7:81"), Code::Unavailable),
            (Status::unauthenticated("set service_auth.token"), Code::Unavailable),
            (Status::internal("h2 protocol error"), Code::Unavailable),
            (Status::unimplemented(""), Code::Unavailable),
            (Status::deadline_exceeded("10 s"), Code::Timeout),
        ] {
            let fault = of_peer("connection", &status);
            assert_eq!(fault.code, code);
            assert!(fault.message.starts_with("the connection service "), "{fault:?}");
            assert!(!fault.message.contains("10.0.0.7"), "{fault:?}");
        }
    }

    #[test]
    fn a_strange_status_is_mapped_to_the_nearest_code() {
        assert_eq!(to_fault(&Status::not_found("gone")).code, Code::NotFound);
        assert_eq!(to_fault(&Status::data_loss("odd")).code, Code::Internal);
    }

    #[test]
    fn what_a_peer_could_not_do_in_time_may_be_tried_again() {
        for status in [Status::unavailable("away"), Status::deadline_exceeded("late"), Status::cancelled("late")] {
            assert!(to_fault(&status).code.retryable(), "{status}");
        }
    }
}
