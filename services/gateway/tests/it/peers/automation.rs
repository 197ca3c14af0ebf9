//! The service of automations.

use bytes::Bytes;
use patchbay_proto::automation::v1::{
    Automation, AutomationRequest, CreateAutomationRequest, DeleteAutomationResponse, ListAutomationsRequest,
    ListAutomationsResponse, UpdateAutomationRequest, automation_service_server::AutomationService,
};
use tonic::Request;

use super::{AUTOMATION, Answer, Asked, Fakes, SOURCE};

impl Fakes {
    fn automation(&self, definition: Bytes) -> Automation {
        Automation {
            id: Bytes::from_static(&AUTOMATION),
            workspace_id: 1,
            status: "draft".to_owned(),
            version: 4,
            definition,
            source_id: Bytes::from_static(&SOURCE),
            hook_token: "t0ken".to_owned(),
            created_at: 0,
            updated_at: 1,
        }
    }

    fn named(&self, method: &'static str, request: Request<AutomationRequest>) -> Answer<Automation> {
        let draft = self.draft.lock().unwrap().clone();
        self.answer(Asked::Automation(method, request.into_inner()), self.automation(draft))
    }
}

#[tonic::async_trait]
impl AutomationService for Fakes {
    async fn create(&self, request: Request<CreateAutomationRequest>) -> Answer<Automation> {
        let request = request.into_inner();
        let automation = self.automation(request.definition.clone());
        self.answer(Asked::CreateAutomation(request), automation)
    }

    async fn update(&self, request: Request<UpdateAutomationRequest>) -> Answer<Automation> {
        let request = request.into_inner();
        let automation = self.automation(request.definition.clone());
        self.answer(Asked::UpdateAutomation(request), automation)
    }

    async fn get(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("get", request)
    }

    async fn list(&self, request: Request<ListAutomationsRequest>) -> Answer<ListAutomationsResponse> {
        let draft = self.draft.lock().unwrap().clone();
        let page = ListAutomationsResponse {
            automations: vec![self.automation(draft)],
            next_before_id: Bytes::from_static(&AUTOMATION),
        };
        self.answer(Asked::ListAutomations(request.into_inner()), page)
    }

    async fn delete(&self, request: Request<AutomationRequest>) -> Answer<DeleteAutomationResponse> {
        self.answer(Asked::Automation("delete", request.into_inner()), DeleteAutomationResponse {})
    }

    async fn publish(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("publish", request)
    }

    async fn pause(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("pause", request)
    }

    async fn start(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("start", request)
    }
}
