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
    fn a_strange_status_is_mapped_to_the_nearest_code() {
        assert_eq!(to_fault(&Status::not_found("gone")).code, Code::NotFound);
        assert_eq!(to_fault(&Status::data_loss("odd")).code, Code::Internal);
    }
}
