//! The main job: what happens in one app reaches another, whole and once.

use patchbay_testing::{http, wait_for};
use serde_json::{Value, json};

use crate::house::{JSON, PATIENCE, Scene, launch};

const KEY: (&str, &str) = ("x-api-key", "sandbox-crm-key");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// What templates, shells, JSON and SQL stumble over.
const ODD: &str = "Ann \"O'Neil\" \\ {{ 7 * 7 }} {% if %} 🎉\r\nsecond\tline — Ёж <b>&amp;</b> %7B";

/// A step that imports a profile with these fields and launches nothing.
fn import(connection: i64, email: &str, data: Value) -> Value {
    json!({
        "key": "import", "operation": "altcraft.import_profile", "connection_id": connection,
        "input": {"db_id": 7, "matching": "email", "email": email, "data": data},
    })
}

async fn items(scene: &Scene, path: &str) -> Vec<Value> {
    let answer = http::call(scene.sandbox.address("listen"), "GET", path, &[], b"").await.unwrap();
    answer.json()["items"].as_array().unwrap().clone()
}

/// The profile with this email in database 7, as soon as it is there.
async fn profile(scene: &Scene, email: &str) -> Value {
    wait_for(&format!("the profile of {email}"), PATIENCE, async || {
        let profiles = items(scene, "/_/altcraft/profiles?db_id=7").await;
        profiles.into_iter().find(|profile| profile["email"] == email)
    })
    .await
}

async fn crm(scene: &Scene, path: &str, body: Value) -> Value {
    let address = scene.sandbox.address("listen");
    let answer = http::call(address, "POST", path, &[JSON, KEY], body.to_string().as_bytes()).await.unwrap();
    assert!(answer.status < 300, "{}", answer.body);
    answer.json()
}

/// A connection to the CRM, an automation that its contacts start, and the URL of its hook.
async fn listen(scene: &Scene, step: Value) -> String {
    let host = format!("http://{}", scene.sandbox.address("listen"));
    let fields = json!({"host": host, "api_key": "sandbox-crm-key"});
    let connection = scene.person.connect_to("sandbox-crm", fields).await;
    let trigger = json!({"operation": "sandbox-crm.contact_created", "connection_id": connection, "mode": "webhook"});
    let (_, hook) = scene.person.automate_by(trigger, step).await;
    hook
}

#[tokio::test]
async fn a_contact_of_the_crm_becomes_a_profile_in_the_scenario() {
    let scene = Scene::begin().await;
    let altcraft = scene.connect().await;
    let hook = listen(&scene, launch(altcraft)).await;
    crm(&scene, "/crm/webhooks", json!({"url": format!("http://{}{hook}", scene.house.address("listen"))})).await;
    let contact = crm(&scene, "/crm/contacts", json!({"email": "ann@shop.test", "first_name": "ann"})).await;

    assert_eq!(profile(&scene, "ann@shop.test").await["_fname"], "Ann");
    let entries = items(&scene, "/_/altcraft/workflows/12/entries").await;
    assert_eq!((entries.len(), &entries[0]["email"]), (1, &json!("ann@shop.test")));
    let run = wait_for("the run", PATIENCE, async || scene.person.runs("&status=succeeded").await.pop()).await;
    assert_eq!((&run["event_id"], &run["trigger"]), (&contact["id"], &contact));
    assert_eq!(run["steps"][0]["output"]["profile_id"], entries[0]["profile_id"]);
}

#[tokio::test]
async fn a_webhook_that_is_sent_again_starts_no_second_run() {
    let scene = Scene::begin().await;
    let altcraft = scene.connect().await;
    let hook = listen(&scene, launch(altcraft)).await;
    let url = format!("http://{}{hook}", scene.house.address("listen"));
    // Two registrations are two deliveries of the same contact.
    crm(&scene, "/crm/webhooks", json!({"url": url})).await;
    crm(&scene, "/crm/webhooks", json!({"url": format!("{url}?again=1")})).await;
    for name in ["ann", "bob"] {
        crm(&scene, "/crm/contacts", json!({"email": format!("{name}@shop.test"), "first_name": name})).await;
    }
    wait_for("four deliveries", PATIENCE, async || (items(&scene, "/_/crm/deliveries").await.len() == 4).then_some(()))
        .await;
    let runs = wait_for("two runs", PATIENCE, async || {
        let runs = scene.person.runs("").await;
        (runs.len() >= 2 && runs.iter().all(|run| run["status"] == "succeeded")).then_some(runs)
    })
    .await;
    assert_eq!((runs.len(), items(&scene, "/_/altcraft/workflows/12/entries").await.len()), (2, 2));
}

#[tokio::test]
async fn a_webhook_that_is_not_signed_starts_nothing() {
    let scene = Scene::begin().await;
    let altcraft = scene.connect().await;
    let hook = listen(&scene, launch(altcraft)).await;
    let body =
        json!({"id": "evt_1", "type": "contact.created", "data": {"id": "1", "email": "eve@shop.test"}}).to_string();
    let forged = [JSON, ("x-crm-timestamp", "1700000000"), ("x-crm-signature", "sha256=00")];
    for headers in [&forged[..1], &forged[..]] {
        let answer = http::call(scene.house.address("listen"), "POST", &hook, headers, body.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("unauthenticated")), "{}", answer.body);
    }
    // What comes after it is taken in, so that nothing is still under way.
    crm(&scene, "/crm/webhooks", json!({"url": format!("http://{}{hook}", scene.house.address("listen"))})).await;
    crm(&scene, "/crm/contacts", json!({"email": "ann@shop.test", "first_name": "ann"})).await;
    profile(&scene, "ann@shop.test").await;
    assert_eq!(scene.person.runs("").await.len(), 1);
}

#[tokio::test]
async fn odd_text_arrives_unchanged_from_the_crm() {
    let scene = Scene::begin().await;
    let altcraft = scene.connect().await;
    let data = json!({"_fname": "{{ trigger.first_name }}", "note": "Name: {{ trigger.first_name }}."});
    let hook = listen(&scene, import(altcraft, "{{ trigger.email }}", data)).await;
    crm(&scene, "/crm/webhooks", json!({"url": format!("http://{}{hook}", scene.house.address("listen"))})).await;
    crm(&scene, "/crm/contacts", json!({"email": "odd@shop.test", "first_name": ODD})).await;
    let profile = profile(&scene, "odd@shop.test").await;
    assert_eq!((&profile["_fname"], &profile["note"]), (&json!(ODD), &json!(format!("Name: {ODD}."))));
}

#[tokio::test]
async fn forms_and_json_map_into_profile_fields() {
    let scene = Scene::begin().await;
    let altcraft = scene.connect().await;
    let address = scene.house.address("listen");
    let encoded: String = ODD.bytes().map(|byte| format!("%{byte:02X}")).collect();

    // A form of Tilda: flat names, with a nested basket.
    let data = json!({"_fname": "{{ trigger.Name }}", "phones": ["{{ trigger.Phone }}"],
        "product": "{{ trigger.payment.products[0].name }}", "total": "{{ trigger.payment.amount | int }}"});
    let (_, hook) = scene.person.automate(import(altcraft, "{{ trigger.Email }}", data)).await;
    let body = format!(
        "Name={encoded}&Email=tilda%40shop.test&Phone=%2B7+(900)+111-22-33&tranid=100%3A200&formid=form77\
         &payment[products][0][name]=Cup&payment[products][1][name]=Tea&payment[amount]=150"
    );
    let answer = http::call(address, "POST", &hook, &[FORM], body.as_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    let tilda = profile(&scene, "tilda@shop.test").await;
    assert_eq!(tilda["_fname"], ODD);
    assert_eq!(
        (&tilda["phones"], &tilda["product"], &tilda["total"]),
        (&json!(["+7 (900) 111-22-33"]), &json!("Cup"), &json!(150))
    );

    // A webhook of amoCRM: everything is nested, custom fields are lists of lists.
    let contact = "trigger.contacts.add[0]";
    let data = json!({"_fname": format!("{{{{ {contact}.name }}}}"), "CRM_ID": format!("amo-{{{{ {contact}.id }}}}")});
    let email = format!("{{{{ {contact}.custom_fields[0]['values'][0].value }}}}");
    let (_, hook) = scene.person.automate(import(altcraft, &email, data)).await;
    let body = format!(
        "contacts[add][0][id]=40404&contacts[add][0][name]={encoded}&contacts[add][0][custom_fields][0][id]=7\
         &contacts[add][0][custom_fields][0][values][0][value]=amo%40shop.test\
         &contacts[add][0][custom_fields][0][values][0][enum]=11&account[subdomain]=shop"
    );
    let answer = http::call(address, "POST", &hook, &[FORM], body.as_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    let amo = profile(&scene, "amo@shop.test").await;
    assert_eq!((&amo["_fname"], &amo["CRM_ID"]), (&json!(ODD), &json!("amo-40404")));

    // JSON.
    let data = json!({"_fname": "{{ trigger.person.name }}", "tags": "{{ trigger.tags }}"});
    let (_, hook) = scene.person.automate(import(altcraft, "{{ trigger.person.email }}", data)).await;
    let body = json!({"person": {"name": ODD, "email": "json@shop.test"}, "tags": ["a", "{{ b }}"]}).to_string();
    let answer = http::call(address, "POST", &hook, &[JSON], body.as_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    let json = profile(&scene, "json@shop.test").await;
    assert_eq!((&json["_fname"], &json["tags"]), (&json!(ODD), &json!(["a", "{{ b }}"])));
}
