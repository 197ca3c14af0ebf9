//! The fields that are shown for an input.

use patchbay_proto::catalog::v1::{Field, FieldsRequest, RowSection};
use patchbay_types::fault::Code;
use serde_json::{Value, json};

use crate::house::{CLUB, House, OURS, SHOP, answered, choices};

fn field(name: &str, label: &str, kind: &str) -> Field {
    Field { name: name.to_owned(), label: label.to_owned(), r#type: kind.to_owned(), ..Field::default() }
}

fn store(options: &[(&str, &str)]) -> Field {
    Field {
        required: true,
        options: choices(options),
        list: "stores".to_owned(),
        ..field("store_id", "Store", "integer")
    }
}

fn colour() -> Field {
    Field { options: choices(&[("red", "Red"), ("blue", "blue")]), ..field("colour", "Colour", "string") }
}

fn by() -> Field {
    Field {
        default: r#""email""#.into(),
        options: choices(&[("email", "Email"), ("phone", "Phone")]),
        ..field("by", "Notify by", "string")
    }
}

fn gift() -> Field {
    let options = choices(&[("true", "Yes"), ("false", "No")]);
    Field { default: "false".into(), options, ..field("gift", "Gift", "boolean") }
}

fn names(fields: &[Field]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

#[tokio::test]
async fn shows_options_custom_fields_and_rows_of_the_account() {
    let house = House::new().await;
    let form = house.form(SHOP, &json!({"store_id": "7", "by": "phone"})).await.unwrap();
    let shelves = || Field {
        options: choices(&[("7-a", "First shelf of 7")]),
        list: "shelves".to_owned(),
        ..field("shelf", "Shelf", "string")
    };
    let custom = |name: &str, label: &str, kind: &str| Field { custom: true, ..field(name, label, kind) };
    let expected = [
        store(&[("1", "Store 1"), ("2", "Store 2")]),
        shelves(),
        colour(),
        by(),
        Field { required: true, ..field("phone", "Phone", "phone") },
        gift(),
        field("data", "More", "object"),
        Field { required: true, ..custom("cf__size", "Size", "integer") },
        Field { options: choices(&[("true", "Yes"), ("false", "No")]), ..custom("cf__fresh", "Fresh", "boolean") },
        custom("cf__odd", "odd", "any"),
    ];
    assert_eq!(form.fields, expected);
    let place = Field { name: "place".to_owned(), label: "Place".to_owned(), required: true, ..shelves() };
    let section = RowSection {
        name: "lines".to_owned(),
        label: "Lines".to_owned(),
        help: String::new(),
        required: false,
        fields: vec![place, field("count", "Count", "integer")],
    };
    assert_eq!(form.row_sections, [section]);
    assert_eq!(form.operation.unwrap().name, "shop.add_ware");
    let asked = house.partner.asked();
    assert!(asked.contains(&"/shelves?store=7".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn lists_wait_for_the_fields_that_they_depend_on() {
    let house = House::new().await;
    for input in
        [json!({}), json!({"store_id": ""}), json!({"store_id": "{{ trigger.store }}"}), json!({"store_id": "x"})]
    {
        let form = house.form(SHOP, &input).await.unwrap();
        let waits = |name: &str| {
            let field = form.fields.iter().find(|field| field.name == name).unwrap();
            (field.options.len(), field.list.as_str(), field.waits_for.join(","), field.options_error.as_str())
        };
        assert_eq!(waits("shelf"), (0, "shelves", "store_id".to_owned(), ""), "{input}");
        // Stands for all custom fields.
        assert_eq!(waits("cf__"), (0, "own_fields", "store_id".to_owned(), ""), "{input}");
        assert_eq!(form.row_sections[0].fields[0].waits_for, ["store_id"]);
        assert_eq!(waits("store_id"), (2, "stores", String::new(), ""));
    }
    let asked = house.partner.asked();
    assert!(asked.iter().all(|path| path.starts_with("/stores")), "{asked:?}");
}

#[tokio::test]
async fn without_a_connection_the_lists_of_the_account_stay_empty() {
    let house = House::new().await;
    let form = house.form(0, &json!({"store_id": 7})).await.unwrap();
    let shelf = Field { list: "shelves".to_owned(), ..field("shelf", "Shelf", "string") };
    let email = Field { required: true, ..field("email", "Email", "string") };
    let expected = [store(&[]), shelf, colour(), by(), email, gift(), field("data", "More", "object")];
    assert_eq!(form.fields, expected);
    assert_eq!((house.partner.asked().len(), house.peers.issued()), (0, 0));
}

#[tokio::test]
async fn only_the_fields_that_fit_the_input_are_shown() {
    let house = House::new().await;
    let shown = async |input: Value| {
        let form = house.form(0, &input).await.unwrap();
        let fields = form.fields.into_iter().filter(|field| ["email", "phone"].contains(&field.name.as_str()));
        fields.map(|field| (field.name, field.required)).collect::<Vec<_>>()
    };
    assert_eq!(shown(json!({})).await, [("email".to_owned(), true)]);
    assert_eq!(shown(json!({"by": "phone"})).await, [("phone".to_owned(), false)]);
    assert_eq!(shown(json!({"by": "phone", "store_id": "7"})).await, [("phone".to_owned(), true)]);
}

#[tokio::test]
async fn a_trigger_has_its_parameters() {
    let house = House::new().await;
    let request = FieldsRequest {
        workspace_id: OURS,
        operation: "shop.ware_sold".to_owned(),
        connection_id: SHOP,
        input: bytes::Bytes::new(),
    };
    let form = answered(house.catalog.clone().fields(request).await).unwrap();
    let expected = Field { required: false, ..store(&[("1", "Store 1"), ("2", "Store 2")]) };
    assert_eq!((form.fields, form.row_sections), (vec![expected], Vec::new()));
    assert_eq!(form.operation.unwrap().kind, "trigger");
}

#[tokio::test]
async fn a_connection_to_another_app_is_refused() {
    let house = House::new().await;
    let fault = house.form(CLUB, &json!({})).await.unwrap_err();
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("connection_id")));
    assert_eq!(fault.message, "connection 7 is one to Club; choose one to Corner shop");
}

#[tokio::test]
async fn an_input_that_is_no_object_is_refused() {
    let house = House::new().await;
    for input in [json!([1]), json!("x"), json!(7)] {
        let fault = house.form(SHOP, &input).await.unwrap_err();
        assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("input")), "{input}");
    }
    assert_eq!(names(&house.form(0, &json!({})).await.unwrap().fields).len(), 7);
}
