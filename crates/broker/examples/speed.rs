use bytes::Bytes;
use patchbay_broker::{embedded::*, *};
use patchbay_proto::Topic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::*;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let consume = std::env::args().nth(2).is_none();
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let dir = std::path::PathBuf::from("/work/main/target/speedtest");
    let _ = std::fs::remove_dir_all(&dir);
    let broker = Embedded::open(Options::new(&dir)).await.unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let got = Arc::new(AtomicU64::new(0));
    let payload = Bytes::from(vec![b'x'; 400]);
    let t = Instant::now();
    let c = cpu();
    for i in 0..n {
        let b = broker.clone();
        let sent = sent.clone();
        let payload = payload.clone();
        tokio::spawn(async move {
            let mut k = 0u64;
            let mut worst = Duration::ZERO;
            while t.elapsed() < Duration::from_secs(5) {
                let s = Instant::now();
                b.publish(
                    Topic::TriggerFired,
                    vec![Message {
                        key: Bytes::from(format!("{i}-{k}")),
                        headers: vec![(
                            "traceparent".into(),
                            "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01".into(),
                        )],
                        payload: payload.clone(),
                    }],
                )
                .await
                .unwrap();
                worst = worst.max(s.elapsed());
                k += 1;
                sent.fetch_add(1, Ordering::Relaxed);
            }
            if i == 0 {
                println!("worst {worst:?} mean {:?}", t.elapsed() / k as u32)
            }
        });
    }
    if consume {
        let b = broker.clone();
        let got = got.clone();
        tokio::spawn(async move {
            let mut c = b.subscribe(Topic::TriggerFired, 4096).await.unwrap();
            while let Ok(d) = c.next_batch(512).await {
                got.fetch_add(d.len() as u64, Ordering::Relaxed);
                Delivery::acknowledge_all(d);
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(5200)).await;
    let s = sent.load(Ordering::Relaxed);
    let used = cpu() - c;
    println!(
        "publishers {n}: {:.0}/s sent, got {} {:?}, cpu {:.2} us/msg",
        s as f64 / 5.0,
        got.load(Ordering::Relaxed),
        broker.progress(Topic::TriggerFired),
        used * 1e6 / s as f64
    );
    broker.close().await;
}
