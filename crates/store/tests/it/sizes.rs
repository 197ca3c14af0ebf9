//! How large a file is, and making it shorter.

use patchbay_store::{Engine, Size};

use crate::house::{FIRST, insert, open};

#[tokio::test]
async fn a_file_is_shortened_by_what_it_does_not_use_a_little_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    let Engine::Sqlite(sqlite) = &engine else { return };
    engine.migrate("test", &[FIRST]).await.unwrap();
    let Size { used: least, .. } = sqlite.size().await.unwrap();
    for id in 2..52 {
        insert(&engine, id, &"word".repeat(10_000)).await.unwrap();
    }
    let full = sqlite.size().await.unwrap();
    assert_eq!(full.file, full.used);
    assert!(full.used > least + 50 * 40_000, "{full:?}");

    sqlx::query("DELETE FROM things WHERE id > 1").execute(&sqlite.writer).await.unwrap();
    let freed = sqlite.size().await.unwrap();
    assert_eq!(freed.file, full.file);
    assert!(freed.used <= least + 4096, "{freed:?}");

    sqlite.shorten(100).await.unwrap();
    let shorter = sqlite.size().await.unwrap();
    let steps = (full.file - shorter.file) / 4096;
    assert!((100..=102).contains(&steps), "pages of the map go with the others: {steps}");
    sqlite.shorten(1_000).await.unwrap();
    sqlite.checkpoint().await.unwrap();
    let least = sqlite.size().await.unwrap();
    assert_eq!(least.file, least.used);
    let file = std::fs::metadata(folder.path().join("patchbay.db")).unwrap();
    assert_eq!(file.len(), least.file);
}
