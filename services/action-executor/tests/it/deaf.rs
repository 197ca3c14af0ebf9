//! A way to a server on which questions arrive, and answers only while nobody stops its ears.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// How it is now, and how often an answer was lost.
#[derive(Debug, Clone, Copy, Default)]
struct Hearing {
    deaf: bool,
    lost: u64,
}

/// Dropping it ends all its conversations.
#[derive(Debug)]
pub(crate) struct Deaf {
    address: String,
    hearing: Arc<watch::Sender<Hearing>>,
    _serving: JoinSet<()>,
}

impl Deaf {
    /// To a server at this host and port.
    pub(crate) async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let hearing = Arc::new(watch::Sender::new(Hearing::default()));
        let mut serving = JoinSet::new();
        let of_listener = Arc::clone(&hearing);
        serving.spawn(async move {
            let mut conversations = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                conversations.spawn(converse(client, server, Arc::clone(&of_listener)));
                while conversations.try_join_next().is_some() {}
            }
        });
        Self { address, hearing, _serving: serving }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Loses answers, each with its connection, until so many more were lost.
    pub(crate) async fn lose(&self, answers: u64) {
        let mut hearing = self.hearing.subscribe();
        let goal = hearing.borrow().lost + answers;
        self.hearing.send_modify(|hearing| hearing.deaf = true);
        hearing.wait_for(|hearing| hearing.lost >= goal).await.unwrap();
        self.hearing.send_modify(|hearing| hearing.deaf = false);
    }
}

/// Passes bytes on until one side ends, or an answer is lost: the server has done what it was asked by then.
async fn converse(mut client: TcpStream, mut server: TcpStream, hearing: Arc<watch::Sender<Hearing>>) {
    let (mut question, mut answer) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut question) => match read {
                Ok(count @ 1..) => if server.write_all(&question[..count]).await.is_err() { return },
                _ => return,
            },
            read = server.read(&mut answer) => match read {
                Ok(_) if hearing.borrow().deaf => {
                    hearing.send_modify(|hearing| hearing.lost += 1);
                    return;
                }
                Ok(count @ 1..) => if client.write_all(&answer[..count]).await.is_err() { return },
                _ => return,
            },
        }
    }
}
