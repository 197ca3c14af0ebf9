//! A full disk: what was accepted is finished, nothing more is accepted, and all goes on when there is room.

use std::{fs, path::Path, process::Command};

use patchbay_testing::wait_for;
use serde_json::json;

use crate::house::{PATIENCE, Person, create_user, import, post, sandbox, settings, up};

/// A small file system in memory, gone when the test ends.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    #[expect(clippy::print_stderr, reason = "who reads the tests' output must know what was not tested")]
    /// Mounting needs rights that not every machine gives; then there is nothing to test on.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"])
            .arg(folder.path())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("not tested: this machine does not let us mount a small disk");
        }
        mounted.then_some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills what is free.
    fn fill(&self) {
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("head -c 100m /dev/zero > {}/filler 2>/dev/null", self.path().display()))
            .status()
            .unwrap();
        assert!(!status.success(), "the disk is larger than thought");
    }

    fn free(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_new_events_finishes_old_ones_and_works_again_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let data = disk.path().join("data");
    let sandbox = sandbox();
    let mut settings = settings(&sandbox);
    settings.push(("PATCHBAY__BROKER__SEGMENT_BYTES", "2097152".to_owned()));
    create_user(&data);
    let house = up(&data, &settings);
    let person = Person::log_in(&house).await;
    let connection = person.connect(sandbox.address("listen")).await;
    let (_, hook) = person.automate(import(connection)).await;
    let address = house.address("listen");
    let body = |number: usize| json!({"email": format!("{number}@shop.test"), "first_name": "ann"});

    let mut accepted = 0;
    for number in 0..20 {
        accepted += usize::from(post(address, &hook, &number.to_string(), &body(number)).await.unwrap().status == 200);
    }
    assert_eq!(accepted, 20);
    disk.fill();
    let refused = wait_for("an event to be refused", PATIENCE, async || {
        let answer = post(address, &hook, &accepted.to_string(), &body(accepted)).await.unwrap();
        if answer.status == 200 {
            return Some(Err(answer));
        }
        Some(Ok(answer))
    })
    .await
    .expect("a full disk accepts nothing");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (507, Some("storage_full")), "{}", refused.body);
    wait_for("what was accepted to be finished", PATIENCE, async || {
        let done = person.runs("&status=succeeded").await.len();
        (done == accepted).then_some(())
    })
    .await;

    disk.free();
    wait_for("events to be accepted again", PATIENCE, async || {
        let answer = post(address, &hook, "later", &body(1_000)).await.unwrap();
        (answer.status == 200).then_some(())
    })
    .await;
    wait_for("the new run", PATIENCE, async || {
        let done = person.runs("&status=succeeded").await.len();
        (done == accepted + 1).then_some(())
    })
    .await;
    assert_eq!(house.terminate(), Some(0));
}
