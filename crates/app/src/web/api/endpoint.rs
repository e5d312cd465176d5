//! Endpoints: each is its method and path, what it asks of the caller, its types, and what runs.
//!
//! Router and document are both made from the same list of endpoints, and an endpoint cannot
//! be made without saying what it takes and answers. So no route is undocumented, none skips
//! the checks of its caller, and the document cannot say other than the code does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use db::Snapshot;
use http::{HeaderMap, Method, StatusCode};
use kernel::MerchantId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::answer::{Fault, Reply, json};
use super::caller::{Access, Caller};
use super::describe::{self, Described};
use super::in_flight::InFlight;
use super::input::{self, Paging, PathArgs, Query};
use super::view::{Nothing, Page};
use crate::app::App;
use crate::cx::Cx;
use crate::idempotency::flow::once;
use crate::idempotency::{self, Kept, Ticket};
use crate::problem::{Code, Flow, Problem};

/// Where an endpoint stands and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// Names it in generated clients; unique.
    pub name: &'static str,
    /// Its path, with `{id}` and the like.
    pub path: &'static str,
    /// What it asks of its caller.
    pub access: Access,
    /// What it does, in a line.
    pub summary: &'static str,
}

/// Where an endpoint stands and what it is for, in this order.
pub const fn at(name: &'static str, path: &'static str, access: Access, summary: &'static str) -> At {
    At { name, path, access, summary }
}

/// What a handler is asked.
pub struct Asked<P, I> {
    /// The program, for its settings and keys.
    pub app: App,
    /// Who asks.
    pub caller: Caller,
    /// For whom the caller acts.
    pub merchant: MerchantId,
    /// What stands in the path.
    pub at: P,
    /// The query of a GET, the body of anything else.
    pub input: I,
}

/// A request that was let in.
pub struct Call {
    pub(super) app: App,
    pub(super) document: Arc<str>,
    pub(super) in_flight: InFlight,
    pub(super) caller: Option<Caller>,
    pub(super) parts: Vec<String>,
    pub(super) method: Method,
    /// Path and query as sent.
    pub(super) target: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

type Running = Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send>>;

/// One route.
pub struct Endpoint {
    /// Its method. HEAD comes with GET.
    pub method: Method,
    /// Where it stands.
    pub at: At,
    pub(super) described: Described,
    run: Box<dyn Fn(Call) -> Running + Send + Sync>,
}

/// What can be answered.
pub trait View: Serialize + ToSchema + Send + 'static {}
impl<T: Serialize + ToSchema + Send + 'static> View for T {}

/// What can be taken in.
pub trait Input: DeserializeOwned + ToSchema + Send + Sync + 'static {}
impl<T: DeserializeOwned + ToSchema + Send + Sync + 'static> Input for T {}

type Reads<P, Q, A> = fn(&mut Snapshot<'_>, &Asked<P, Q>) -> Flow<A>;
type Lists<P, Q, C, A> = fn(&mut Snapshot<'_>, &Asked<P, Q>, Paging<C>) -> Flow<Page<A>>;
/// Does what takes longer than a transaction may.
pub type Slowly<P, B, A> = fn(Asked<P, B>) -> Pin<Box<dyn Future<Output = Flow<A>> + Send>>;
type Writes<P, B, A> = fn(&mut Cx<'_, '_>, &Asked<P, B>) -> Flow<A>;
/// What takes in a content of any size.
pub type Receives<P, A> = fn(Upload<P>) -> Pin<Box<dyn Future<Output = Flow<A>> + Send>>;

/// A number of a view that a header repeats, for who asks with HEAD.
pub struct Telling<A> {
    /// The header's name, in lower case.
    pub header: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// The number.
    pub tell: fn(&A) -> u64,
}

/// A content on its way in.
pub struct Upload<P> {
    /// What stands in the path, and the program.
    pub asked: Asked<P, ()>,
    /// The bytes.
    pub body: Body,
}

impl Endpoint {
    /// A list, in parts.
    pub fn list<P, Q, C, A>(at: At, run: Lists<P, Q, C, A>) -> Self
    where
        P: PathArgs,
        Q: Input,
        C: std::str::FromStr + Copy + Send + Sync + 'static,
        A: View,
    {
        let described = describe::list::<P, Q, A>(at);
        Self::new(Method::GET, at, described, move |call| async move {
            let mut query = call.query()?;
            let paging = query.take_paging::<C>()?;
            let input = query.into::<Q>()?;
            let (app, asked) = (call.app.clone(), call.asked::<P, Q>(input)?);
            let page = app.read(move |snapshot| run(snapshot, &asked, paging)).await?;
            Ok(Reply::view(StatusCode::OK, &page)?)
        })
    }

    /// One thing.
    pub fn get<P: PathArgs, A: View>(at: At, run: Reads<P, Nothing, A>) -> Self {
        let described = describe::get::<P, A>(at);
        Self::new(Method::GET, at, described, move |call| async move {
            let input = call.query()?.into::<Nothing>()?;
            let (app, asked) = (call.app.clone(), call.asked::<P, Nothing>(input)?);
            let view = app.read(move |snapshot| run(snapshot, &asked)).await?;
            Ok(Reply::view(StatusCode::OK, &view)?)
        })
    }

    /// One thing, with a number of it in a header.
    pub fn get_telling<P: PathArgs, A: View>(at: At, run: Reads<P, Nothing, A>, telling: Telling<A>) -> Self {
        let described = describe::get_telling::<P, A>(at, telling.header, telling.meaning);
        Self::new(Method::GET, at, described, move |call| async move {
            let input = call.query()?.into::<Nothing>()?;
            let (app, asked) = (call.app.clone(), call.asked::<P, Nothing>(input)?);
            let view = app.read(move |snapshot| run(snapshot, &asked)).await?;
            let number = (telling.tell)(&view);
            Ok(Reply::view(StatusCode::OK, &view)?.telling(telling.header, number))
        })
    }

    /// Sets something that takes longer than a transaction may. Sent again, it has its effect once.
    pub fn put_slowly<P: PathArgs, B: Input, A: View>(at: At, run: Slowly<P, B, A>) -> Self {
        let described = describe::write::<P, B, A>(&Method::PUT, at, StatusCode::OK, Sent::Json);
        Self::new(Method::PUT, at, described, move |mut call| async move {
            call.query()?.into::<Nothing>()?;
            call.caller()?;
            let body = std::mem::take(&mut call.body);
            let (input, _) = input::read_json::<B>(&call.headers, body).await?;
            let view = run(call.asked::<P, B>(input)?).await?;
            Ok(Reply::view(StatusCode::OK, &view)?)
        })
    }

    /// Makes something.
    pub fn create<P: PathArgs, B: Input, A: View>(at: At, run: Writes<P, B, A>) -> Self {
        Self::writing(Method::POST, at, StatusCode::CREATED, Sent::Json, run)
    }

    /// Does something that needs to be told more than the path says.
    pub fn act_with<P: PathArgs, B: Input, A: View>(at: At, run: Writes<P, B, A>) -> Self {
        Self::writing(Method::POST, at, StatusCode::OK, Sent::Json, run)
    }

    /// Does something that the path says all of.
    pub fn act<P: PathArgs, A: View>(at: At, run: Writes<P, Nothing, A>) -> Self {
        Self::writing(Method::POST, at, StatusCode::OK, Sent::Nothing, run)
    }

    /// Changes what is named in the body.
    pub fn patch<P: PathArgs, B: Input, A: View>(at: At, run: Writes<P, B, A>) -> Self {
        Self::writing(Method::PATCH, at, StatusCode::OK, Sent::Json, run)
    }

    /// Sets something to what the body says.
    pub fn put<P: PathArgs, B: Input, A: View>(at: At, run: Writes<P, B, A>) -> Self {
        Self::writing(Method::PUT, at, StatusCode::OK, Sent::Json, run)
    }

    /// Takes something away.
    pub fn delete<P: PathArgs, A: View>(at: At, run: Writes<P, Nothing, A>) -> Self {
        Self::writing(Method::DELETE, at, StatusCode::OK, Sent::Nothing, run)
    }

    /// Takes in a content of any size, under a name in the path.
    pub fn upload<P: PathArgs, A: View>(at: At, run: Receives<P, A>) -> Self {
        let described = describe::upload::<P, A>(at);
        Self::new(Method::PUT, at, described, move |mut call| async move {
            call.query()?.into::<Nothing>()?;
            input::require_file(&call.headers)?;
            let body = std::mem::take(&mut call.body);
            let asked = call.asked::<P, ()>(())?;
            let view = run(Upload { asked, body }).await?;
            Ok(Reply::view(StatusCode::OK, &view)?)
        })
    }

    /// The document of all of this.
    pub fn document(at: At) -> Self {
        let described = describe::document(at);
        Self::new(Method::GET, at, described, move |call| async move {
            call.query()?.into::<Nothing>()?;
            Ok(Reply::ready(call.document.to_string()))
        })
    }

    fn writing<P: PathArgs, B: Input, A: View>(
        method: Method,
        at: At,
        status: StatusCode,
        sent: Sent,
        run: Writes<P, B, A>,
    ) -> Self {
        let described = describe::write::<P, B, A>(&method, at, status, sent);
        Self::new(method, at, described, move |mut call| async move {
            call.query()?.into::<Nothing>()?;
            let (caller, body) = (call.caller()?, std::mem::take(&mut call.body));
            let (input, bytes) = match sent {
                Sent::Json => input::read_json::<B>(&call.headers, body).await?,
                Sent::Nothing => input::read_nothing::<B>(&call.headers, body).await?,
            };
            let ticket = call.ticket(caller, &bytes)?;
            let _place = ticket.as_ref().map(|ticket| call.in_flight.enter(ticket)).transpose()?;
            let (app, asked) = (call.app.clone(), call.asked::<P, B>(input)?);
            let answered = app.write(caller.merchant, caller.actor(), move |cx| {
                once(cx, ticket.as_ref(), |cx| {
                    let view = run(cx, &asked)?;
                    Ok(Kept { status: status.as_u16(), body: json(&view)? })
                })
            });
            Ok(Reply::once(answered.await?))
        })
    }

    fn new<F, R>(method: Method, at: At, described: Described, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Reply, Fault>> + Send + 'static,
    {
        Self { method, at, described, run: Box::new(move |call| Box::pin(run(call))) }
    }

    pub(super) fn run(&self, call: Call) -> Running {
        (self.run)(call)
    }
}

/// Whether a body is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// JSON.
    Json,
    /// No body.
    Nothing,
}

impl Call {
    fn query(&self) -> Result<Query, Fault> {
        Query::read(self.query.as_deref().unwrap_or_default())
    }

    fn caller(&self) -> Result<Caller, Fault> {
        self.caller.ok_or_else(|| Problem::new(Code::Unauthorized, "this needs an API key").into())
    }

    fn asked<P: PathArgs, I>(self, input: I) -> Result<Asked<P, I>, Fault> {
        let caller = self.caller()?;
        let at = P::read(&self.parts).ok_or_else(|| Problem::not_found("thing"))?;
        Ok(Asked { app: self.app, caller, merchant: caller.merchant, at, input })
    }

    /// The request's `Idempotency-Key`. Methods that are idempotent by themselves need none.
    fn ticket(&self, caller: Caller, body: &[u8]) -> Result<Option<Ticket>, Fault> {
        let mut sent = self.headers.get_all(idempotency_key()).iter();
        let Some(value) = sent.next().filter(|_| self.method == Method::POST) else { return Ok(None) };
        let key = value.to_str().ok().filter(|text| idempotency::is_key(text) && sent.next().is_none());
        let key = key.ok_or_else(|| {
            Fault::malformed("an Idempotency-Key is 1 to 255 printable ASCII characters without spaces")
        })?;
        Ok(Some(Ticket {
            merchant: caller.merchant,
            api_key: caller.key,
            key: key.to_owned(),
            request_hash: idempotency::request_hash(self.method.as_str(), &self.target, body),
        }))
    }
}

/// The header's name.
pub const fn idempotency_key() -> &'static str {
    "idempotency-key"
}
