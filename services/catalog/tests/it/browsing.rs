//! Partners and operations.

use patchbay_proto::catalog::v1::{
    Field, FieldsRequest, GetPartnerRequest, ListOperationsRequest, ListPartnersRequest, Operation, Partner,
};
use patchbay_types::fault::Code;

use crate::house::{House, OURS, answered};

fn host() -> Field {
    Field {
        name: "host".to_owned(),
        label: "Host".to_owned(),
        r#type: "string".to_owned(),
        required: true,
        default: r#""shop.example.com""#.into(),
        ..Field::default()
    }
}

fn token() -> Field {
    Field {
        name: "token".to_owned(),
        label: "Token".to_owned(),
        r#type: "secret".to_owned(),
        required: true,
        ..Field::default()
    }
}

fn add_ware() -> Operation {
    Operation {
        name: "shop.add_ware".to_owned(),
        id: 70001,
        partner: "shop".to_owned(),
        kind: "action".to_owned(),
        title: "Add a ware".to_owned(),
        safe_to_repeat: true,
        sample: r#"{"id":9}"#.into(),
        ..Operation::default()
    }
}

fn ware_sold() -> Operation {
    Operation {
        name: "shop.ware_sold".to_owned(),
        id: 70002,
        partner: "shop".to_owned(),
        kind: "trigger".to_owned(),
        title: "Ware sold".to_owned(),
        modes: vec!["webhook".to_owned()],
        sample: r#"{"id":9}"#.into(),
        ..Operation::default()
    }
}

#[tokio::test]
async fn shows_a_partner_whole() {
    let house = House::new().await;
    let request = GetPartnerRequest { partner: "shop".to_owned() };
    let partner = answered(house.catalog.clone().get_partner(request).await).unwrap();
    let expected = Partner {
        key: "shop".to_owned(),
        id: 7,
        title: "Corner shop".to_owned(),
        titles: [("ru".to_owned(), "Магазин".to_owned())].into(),
        description: String::new(),
        categories: vec!["sales".to_owned()],
        region: vec![3],
        deprecated: false,
        version: "1.2.0".to_owned(),
        connection_fields: vec![host(), token()],
        testable: true,
        lists: partner.lists.clone(),
    };
    assert_eq!(partner, expected);
    let mut lists = partner.lists;
    lists.sort();
    assert_eq!(lists, ["own_fields", "shelves", "stores"]);
}

#[tokio::test]
async fn finds_partners_by_key_or_title_in_any_case() {
    let house = House::new().await;
    for (contains, expected) in [
        ("", &["club", "shop"][..]),
        ("SHOP", &["shop"]),
        ("corner", &["shop"]),
        ("магаз", &["shop"]),
        (" club ", &["club"]),
        ("nothing", &[]),
    ] {
        let request = ListPartnersRequest { contains: contains.to_owned() };
        let found = answered(house.catalog.clone().list_partners(request).await).unwrap().partners;
        let keys: Vec<_> = found.iter().map(|partner| partner.key.as_str()).collect();
        assert_eq!(keys, expected, "{contains:?}");
    }
}

#[tokio::test]
async fn lists_triggers_and_actions() {
    let house = House::new().await;
    let operations = async |partner: &str| {
        let request = ListOperationsRequest { partner: partner.to_owned() };
        answered(house.catalog.clone().list_operations(request).await).map(|found| found.operations)
    };
    assert_eq!(operations("shop").await.unwrap(), [ware_sold(), add_ware()]);
    let all = operations("").await.unwrap();
    let names: Vec<_> = all.iter().map(|operation| operation.name.as_str()).collect();
    assert_eq!(names, ["club.join", "shop.ware_sold", "shop.add_ware"]);
    let fault = operations("shpo").await.unwrap_err();
    assert_eq!((fault.code, fault.field.as_deref()), (Code::NotFound, Some("partner")));
}

#[tokio::test]
async fn what_is_not_there_is_told_with_a_guess() {
    let house = House::new().await;
    for (operation, guess) in
        [("shpo.add_ware", "`shop`"), ("shop.add_wear", "`shop.add_ware`"), ("shop.ware_solt", "`shop.ware_sold`")]
    {
        let request = FieldsRequest { workspace_id: OURS, operation: operation.to_owned(), ..FieldsRequest::default() };
        let fault = answered(house.catalog.clone().fields(request).await).unwrap_err();
        assert_eq!(fault.code, Code::NotFound);
        assert!(fault.message.contains(&format!("did you mean {guess}")), "{}", fault.message);
    }
    let fault = answered(house.catalog.clone().get_partner(GetPartnerRequest { partner: "shpo".to_owned() }).await);
    let fault = fault.unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(fault.message.contains("did you mean `shop`"), "{}", fault.message);
}
