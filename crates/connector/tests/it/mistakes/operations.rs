//! Mistakes in actions and triggers.

use super::check;

#[test]
fn in_operations_and_triggers() {
    check(&[
        (
            "id: 3",
            "id: 2",
            "operations[1].id: the action `put` has the id 2 too (hint: ids are never used twice; take a new one)",
        ),
        ("key: told", "key: put", "operations[1].key: another action has the key `put`"),
        (
            "    safe_to_repeat: true",
            "    event_id: body.id",
            "operations[0].event_id: has no meaning for an action, only for a trigger",
        ),
        (
            "    event_id: item.id",
            "    safe_to_repeat: true",
            "operations[1].safe_to_repeat: has no meaning for a trigger, only for an action",
        ),
        (
            "    event_id: item.id",
            "    event_id: connection.token",
            "operations[1].event_id: there is no `connection` here, only `item`, `body`, `headers`, `input`",
        ),
        (
            "input.event",
            "input.evnt",
            "operations[1].modes.webhook.select: there is no field `evnt` (hint: did you mean `event`?)",
        ),
        (
            "batch: body.events",
            "batch: item.events",
            "operations[1].modes.webhook.batch: there is no `item` here, only `body`, `headers`, `input`",
        ),
        (
            "status: 202",
            "status: 302",
            "operations[1].modes.webhook.respond.status: expected a status from 200 to 299, found 302",
        ),
        (
            "    modes:\n",
            "    modes:\n      poll: { interval: 5m }\n",
            "operations[1].modes.poll: the mode `poll` is not available yet; there is `webhook` (hint: leave it out)",
        ),
        (
            "    modes:\n",
            "    modes:\n      broker: { kafka: {} }\n",
            "operations[1].modes.broker: the mode `broker` is not available yet; there is `webhook`",
        ),
        ("    modes:\n", "    modes:\n      webhoock: {}\n", "operations[1].modes.webhoock: unknown key `webhoock`"),
        (
            "default: created, options",
            "required: maybe, options",
            "operations[1].fields[0].required: expected `true` or `false`",
        ),
        (
            "name: event, label: Event, type: string, default: created, options: [{ value: created }, { value: changed }]",
            "custom_fields: properties, prefix: x__",
            "operations[1].fields[0].custom_fields: only an action has fields that the account defines",
        ),
    ]);
}

#[test]
fn in_verification() {
    check(&[
        (
            "kind: hmac",
            "kind: ed25519",
            "operations[1].modes.webhook.verify.kind: `ed25519` is not available yet; there are `none`",
        ),
        (
            "kind: hmac",
            "kind: hmc",
            "unknown value `hmc`, expected one of `none`, `secret_url`, `hmac`, `basic`, `header_token`, `standard_webhooks` (hint: did you mean `hmac`?)",
        ),
        (
            "kind: hmac",
            "kind: none",
            "operations[1].modes.webhook.verify.secret: has no meaning for this kind, which takes no other keys",
        ),
        (
            "algorithm: sha256\n",
            "algorithm: md5\n",
            "operations[1].modes.webhook.verify.algorithm: unknown value `md5`, expected one of `sha1`, `sha256`, `sha512`",
        ),
        ("          algorithm: sha256\n", "", "operations[1].modes.webhook.verify: the key `algorithm` is missing"),
        (
            "{{ connection.webhook_secret }}",
            "hush",
            "operations[1].modes.webhook.verify.secret: expected a template over the connection, because what stands in a manifest is no secret (hint: such as `{{ connection.webhook_secret }}`)",
        ),
        (
            "{{ connection.webhook_secret }}",
            "{{ connection.webhok_secret }}",
            "there is no field of the connection `webhok_secret` (hint: did you mean `webhook_secret`?)",
        ),
        (
            "{ text: \".\" }, body]",
            "{ text: \".\" }]",
            "operations[1].modes.webhook.verify.signed: expected `body` among what is signed, or anybody could change the events",
        ),
        (
            "{ text: \".\" }, body]",
            "boby]",
            "operations[1].modes.webhook.verify.signed[1]: unknown value `boby`, expected one of `header`, `text`, `body` (hint: did you mean `body`?)",
        ),
        (
            "[{ header: X-Time }, { text: \".\" }, body]",
            "[body]",
            "operations[1].modes.webhook.verify.timestamp.header: the header `x-time` is not signed, so that anybody could change it",
        ),
        (
            "tolerance: 5m",
            "tolerance: 25h",
            "operations[1].modes.webhook.verify.timestamp.tolerance: expected at most `24h`",
        ),
        (
            "header: X-Signature",
            "header: \"X Signature\"",
            "operations[1].modes.webhook.verify.header: `X Signature` is no name of a header",
        ),
    ]);
}
