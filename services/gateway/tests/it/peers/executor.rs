//! The service of runs and dead letters.

use bytes::Bytes;
use patchbay_proto::executor::v1::{
    DeadLetterDetail, DeadLetterEntry, DeadLetterRequest, DropDeadLetterResponse, ListDeadLettersRequest,
    ListDeadLettersResponse, ListRunsRequest, ListRunsResponse, Run, RunRequest, Step, StepError, Waiting,
    run_service_server::RunService,
};
use tonic::Request;

use super::{AUTOMATION, Answer, Asked, Fakes, RUN};

fn run() -> Run {
    let failed = Step {
        key: "launch".to_owned(),
        operation: "altcraft.import".to_owned(),
        status: "failed".to_owned(),
        attempts: 2,
        input: Bytes::from_static(br#"{"n": 1.00, "big": 12345678901234567890123}"#),
        output: Bytes::new(),
        error: Some(StepError { class: "partner".to_owned(), message: "no".to_owned(), partner_status: Some(502) }),
    };
    let damaged = Step { key: "next".to_owned(), output: Bytes::from_static(b"{broken"), ..Step::default() };
    Run {
        id: Bytes::from_static(&RUN),
        workspace_id: 1,
        automation_id: Bytes::from_static(&AUTOMATION),
        version: 4,
        event_id: "evt".to_owned(),
        status: "waiting".to_owned(),
        started_at: 0,
        finished_at: 0,
        attempt: 1,
        steps: vec![failed, damaged],
        waiting: Some(Waiting { r#for: "retry".to_owned(), until: 1, connection_id: 0, reason: "busy".to_owned() }),
        trigger: Bytes::from_static(br#"{"email":"a@b.c"}"#),
    }
}

fn letter() -> DeadLetterEntry {
    DeadLetterEntry {
        id: 9,
        workspace_id: 1,
        kind: "run".to_owned(),
        reason: "exhausted".to_owned(),
        error: "no".to_owned(),
        run_id: Bytes::from_static(&RUN),
        event_id: "evt".to_owned(),
        at: 0,
    }
}

impl Fakes {
    fn run(&self, method: &'static str, request: Request<RunRequest>) -> Answer<Run> {
        self.answer(Asked::Run(method, request.into_inner()), run())
    }
}

#[tonic::async_trait]
impl RunService for Fakes {
    async fn list_runs(&self, request: Request<ListRunsRequest>) -> Answer<ListRunsResponse> {
        let page = ListRunsResponse { runs: vec![run()], next_before_id: Bytes::from_static(&RUN) };
        self.answer(Asked::ListRuns(request.into_inner()), page)
    }

    async fn get_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.run("get", request)
    }

    async fn replay_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.run("replay", request)
    }

    async fn cancel_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.run("cancel", request)
    }

    async fn list_dead_letters(&self, request: Request<ListDeadLettersRequest>) -> Answer<ListDeadLettersResponse> {
        let page = ListDeadLettersResponse { dead_letters: vec![letter()], next_before_id: 0 };
        self.answer(Asked::ListDeadLetters(request.into_inner()), page)
    }

    async fn get_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DeadLetterDetail> {
        let detail = DeadLetterDetail {
            entry: Some(letter()),
            original: Bytes::from_static(b"raw"),
            payload: Bytes::from_static(b"{\"a\":1}"),
            topic: "trigger.fired".to_owned(),
        };
        self.answer(Asked::DeadLetter("get", request.into_inner()), detail)
    }

    async fn replay_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DeadLetterEntry> {
        self.answer(Asked::DeadLetter("replay", request.into_inner()), letter())
    }

    async fn drop_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DropDeadLetterResponse> {
        self.answer(Asked::DeadLetter("drop", request.into_inner()), DropDeadLetterResponse {})
    }
}
