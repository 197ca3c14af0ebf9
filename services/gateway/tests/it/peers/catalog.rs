//! The catalog.

use bytes::Bytes;
use patchbay_proto::catalog::v1::{
    self as catalog, FieldsRequest, GetPartnerRequest, ListOperationsRequest, ListPartnersRequest, OptionsRequest,
    RefreshRequest, catalog_service_server::CatalogService,
};
use tonic::Request;

use super::{Answer, Asked, Fakes};

fn choice(value: &str, label: &str) -> catalog::Choice {
    catalog::Choice { value: value.to_owned(), label: label.to_owned() }
}

fn host() -> catalog::Field {
    catalog::Field {
        name: "host".to_owned(),
        label: "Host".to_owned(),
        r#type: "string".to_owned(),
        ..catalog::Field::default()
    }
}

fn database() -> catalog::Field {
    catalog::Field {
        name: "db_id".to_owned(),
        label: "Database".to_owned(),
        help: String::new(),
        r#type: "integer".to_owned(),
        required: true,
        default: Bytes::from_static(b"7"),
        options: vec![choice("7", "Main")],
        list: "databases".to_owned(),
        waits_for: vec!["host".to_owned()],
        options_error: "down".to_owned(),
        custom: false,
    }
}

fn partner() -> catalog::Partner {
    catalog::Partner {
        key: "altcraft".to_owned(),
        id: 225,
        title: "Altcraft".to_owned(),
        titles: [("ru".to_owned(), "Альткрафт".to_owned())].into(),
        description: "Mail".to_owned(),
        categories: vec!["marketing".to_owned()],
        region: vec![3],
        deprecated: false,
        version: "1.0.0".to_owned(),
        connection_fields: vec![host()],
        testable: true,
        lists: vec!["databases".to_owned()],
    }
}

fn operation() -> catalog::Operation {
    catalog::Operation {
        name: "altcraft.import_profile".to_owned(),
        id: 22_500_001,
        partner: "altcraft".to_owned(),
        kind: "action".to_owned(),
        title: "Import".to_owned(),
        safe_to_repeat: true,
        sample: Bytes::from_static(br#"{"profile_id": 1.50}"#),
        ..catalog::Operation::default()
    }
}

#[tonic::async_trait]
impl CatalogService for Fakes {
    async fn list_partners(&self, request: Request<ListPartnersRequest>) -> Answer<catalog::ListPartnersResponse> {
        let found = catalog::ListPartnersResponse { partners: vec![partner()] };
        self.answer(Asked::ListPartners(request.into_inner()), found)
    }

    async fn get_partner(&self, request: Request<GetPartnerRequest>) -> Answer<catalog::Partner> {
        self.answer(Asked::GetPartner(request.into_inner()), partner())
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Answer<catalog::ListOperationsResponse> {
        let found = catalog::ListOperationsResponse { operations: vec![operation()] };
        self.answer(Asked::ListOperations(request.into_inner()), found)
    }

    async fn fields(&self, request: Request<FieldsRequest>) -> Answer<catalog::FieldsResponse> {
        let section = catalog::RowSection {
            name: "emails".to_owned(),
            label: "Emails".to_owned(),
            help: String::new(),
            required: true,
            fields: vec![host()],
        };
        let form = catalog::FieldsResponse {
            operation: Some(operation()),
            fields: vec![database()],
            row_sections: vec![section],
        };
        self.answer(Asked::Fields(request.into_inner()), form)
    }

    async fn options(&self, request: Request<OptionsRequest>) -> Answer<catalog::OptionsResponse> {
        let found = catalog::OptionsResponse { options: vec![choice("12", "Welcome")], fetched_at: 1, truncated: true };
        self.answer(Asked::Options(request.into_inner()), found)
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Answer<catalog::RefreshResponse> {
        let list = |list: &str, options, error: &str| catalog::RefreshedList {
            list: list.to_owned(),
            options,
            error: error.to_owned(),
        };
        let lists = vec![list("databases", 2, ""), list("scenarios", 0, "down")];
        self.answer(Asked::Refresh(request.into_inner()), catalog::RefreshResponse { lists })
    }
}
