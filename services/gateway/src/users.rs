//! Users, as the command line makes them and as they log in.

use std::time::Duration;

use patchbay_runtime::Clock;
use patchbay_store::Engine;
use patchbay_types::{
    Timestamp, UserId, WorkspaceId,
    fault::{Code, Fault},
};

use crate::{
    Error,
    brake::Brake,
    domain::Email,
    passwords::{self, Password, Passwords},
    store::Store,
    token::Token,
};

/// How long a token of the command line is valid: it is made for programs.
const PROGRAM_TOKEN_LIFE: Duration = Duration::from_hours(365 * 24);

/// A user and where they work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The user.
    pub user: UserId,
    /// The workspace of their own.
    pub workspace: WorkspaceId,
}

/// Makes a user with a workspace of their own.
///
/// # Errors
/// [`Error::Refused`] when the email is taken (`conflict`), or email or password can't be used.
pub async fn create(engine: &Engine, clock: &Clock, email: &str, password: &str) -> Result<Created, Error> {
    let (email, password) = (Email::parse(email)?, Password::parse(password)?);
    let hash = passwords::hash(password).await?;
    match Store::new(engine.clone()).create_user(&email, &hash, clock.now()).await {
        Err(patchbay_store::Error::Taken(_)) => {
            let message = format!("there is a user with the email {} already", email.as_str());
            Err(Fault::new(Code::Conflict, message).with_field("email").into())
        }
        outcome => Ok(outcome?),
    }
}

/// The user with this email, if there is one.
///
/// # Errors
/// [`Error::Refused`] when the email can't be one.
pub async fn find(engine: &Engine, email: &str) -> Result<Option<Created>, Error> {
    let found = Store::new(engine.clone()).user(&Email::parse(email)?).await?;
    Ok(found.map(|user| Created { user: user.id, workspace: user.workspace }))
}

/// All workspaces, for those who operate the database.
///
/// # Errors
/// The database.
pub async fn workspaces(engine: &Engine) -> Result<Vec<WorkspaceId>, Error> {
    Ok(Store::new(engine.clone()).workspaces().await?)
}

/// Makes a token that is valid for a year, and returns it. It can't be shown again.
///
/// # Errors
/// [`Error::Refused`] when there is no such user.
pub async fn create_token(engine: &Engine, clock: &Clock, email: &str) -> Result<String, Error> {
    let email = Email::parse(email)?;
    let store = Store::new(engine.clone());
    let Some(user) = store.user(&email).await? else {
        let message = format!("there is no user with the email {}", email.as_str());
        return Err(Fault::new(Code::NotFound, message).with_field("email").into());
    };
    let now = clock.now();
    let token = Token::generate()?;
    store.insert_token(&token.digest(), &user, now, now.after(PROGRAM_TOKEN_LIFE)).await?;
    Ok(token.reveal())
}

/// Where people log in.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) passwords: Passwords,
    pub(crate) brake: Brake,
    pub(crate) token_life: Duration,
}

/// A token for who logged in.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) token: Token,
    pub(crate) valid_until: Timestamp,
}

impl Door {
    /// Lets in who knows the password. Nobody learns whether the email or the password was wrong.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Result<Admission, Error> {
        let wrong = || Fault::new(Code::Unauthenticated, "email or password is wrong");
        let (Ok(email), Ok(password)) = (Email::parse(email), Password::parse(password)) else {
            return Err(wrong().into());
        };
        let user = self.store.user(&email).await?;
        let is_right = {
            let _turn = self.passwords.turn().await?;
            self.brake.check(&email, self.clock.now())?;
            let hash = user.as_ref().map(|user| user.password_hash.clone());
            let is_right = passwords::verify(password, hash).await?;
            if !is_right {
                self.brake.wrong(&email, self.clock.now());
            }
            is_right
        };
        let Some(user) = user.filter(|_| is_right) else {
            return Err(wrong().into());
        };
        self.brake.right(&email);
        let now = self.clock.now();
        let admission = Admission { token: Token::generate()?, valid_until: now.after(self.token_life) };
        self.store.insert_token(&admission.token.digest(), &user, now, admission.valid_until).await?;
        Ok(admission)
    }
}
