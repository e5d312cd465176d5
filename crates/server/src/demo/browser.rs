//! A buyer without eyes: follows links, fills forms, keeps cookies. Enough for our own pages.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use net::outbound::{Call, Client, OutboundPolicy, Roots};
use url::Url;

/// A page or a file that came back.
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// A form of a page, with the values that it would post.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it goes.
    pub action: Url,
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
}

/// Keeps cookies per host and port, as the demo's servers share an address.
pub struct Browser {
    client: Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

const REDIRECTS_MAX: usize = 10;
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Browser {
    /// A browser that may go to these ports of this machine.
    pub fn new(ports: &[u16]) -> Result<Self, String> {
        let allow =
            ports.iter().map(|port| format!("127.0.0.1/32:{port}").parse().map_err(|e| format!("{e}")));
        let policy = OutboundPolicy { allow: allow.collect::<Result<_, String>>()? };
        let client = Client::new(policy, &Roots::default()).map_err(|error| error.to_string())?;
        Ok(Self { client, cookies: BTreeMap::new() })
    }

    /// Goes to a page, following redirects.
    pub async fn get(&mut self, url: &Url) -> Result<Page, String> {
        self.go("GET", url.clone(), Bytes::new(), &[]).await
    }

    /// Fetches with extra headers, following nothing.
    pub async fn fetch(&mut self, url: &Url, headers: &[(&str, &str)]) -> Result<Page, String> {
        self.once("GET", url, Bytes::new(), headers).await
    }

    /// Posts a form, following redirects.
    pub async fn submit(&mut self, form: &Form) -> Result<Page, String> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.go("POST", form.action.clone(), Bytes::from(body), &kind).await
    }

    /// Posts a form and answers where it leads, without going there.
    pub async fn submit_only(&mut self, form: &Form) -> Result<Url, String> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let page = self.once("POST", &form.action, Bytes::from(body), &kind).await?;
        page.location()?.ok_or_else(|| format!("{} answered {} and leads nowhere", form.action, page.status))
    }

    async fn go(
        &mut self,
        method: &'static str,
        url: Url,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Result<Page, String> {
        let mut page = self.once(method, &url, body, headers).await?;
        for _ in 0..REDIRECTS_MAX {
            let Some(next) = page.location()? else { return Ok(page) };
            page = self.once("GET", &next, Bytes::new(), &[]).await?;
        }
        Err(format!("{url} redirects without end"))
    }

    async fn once(
        &mut self,
        method: &'static str,
        url: &Url,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Result<Page, String> {
        let site = url.authority().to_owned();
        let jar = self.cookies.entry(site).or_default();
        let mut sent: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            sent.push(("cookie".to_owned(), cookies.join("; ")));
        }
        let call = Call {
            method: method.to_owned(),
            url: url.to_string(),
            headers: sent,
            body,
            deadline: Duration::from_secs(30),
            body_max: BODY_BYTES_MAX,
        };
        let answer = self.client.call(call).await.map_err(|error| format!("{method} {url}: {error}"))?;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let pair = line.to_str().ok().and_then(|line| line.split(';').next()?.split_once('='));
            if let Some((name, value)) = pair {
                jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(Page { url: url.clone(), status: answer.status, headers: answer.headers, body: answer.body })
    }
}

impl Page {
    /// Its text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn location(&self) -> Result<Option<Url>, String> {
        if !self.status.is_redirection() {
            return Ok(None);
        }
        let location = self.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        location.map(|target| self.url.join(target).map_err(|error| format!("{target}: {error}"))).transpose()
    }

    /// The first form whose action contains this text.
    pub fn form(&self, action_has: &str) -> Result<Form, String> {
        let text = self.text();
        let mut rest = text.as_str();
        while let Some(start) = rest.find("<form") {
            let from_here = rest.get(start..).unwrap_or_default();
            let end = from_here.find("</form>").unwrap_or(from_here.len());
            let form = from_here.get(..end).unwrap_or_default();
            let head = form.get(..form.find('>').unwrap_or(form.len())).unwrap_or_default();
            let action = attribute(head, "action").unwrap_or_default();
            if action.contains(action_has) {
                let action = self.url.join(&action).map_err(|error| format!("{action}: {error}"))?;
                return Ok(Form { action, fields: fields(form) });
            }
            rest = from_here.get(end..).unwrap_or_default();
        }
        Err(format!("{} ({}) has no form that goes to {action_has}", self.url, self.status))
    }

    /// The first link whose address contains this text.
    pub fn link(&self, has: &str) -> Result<Url, String> {
        let text = self.text();
        let targets = text.split("href=").skip(1).filter_map(quoted);
        let found = targets.into_iter().find(|target| target.contains(has));
        let found = found.ok_or_else(|| format!("{} ({}) has no link to {has}", self.url, self.status))?;
        self.url.join(&found).map_err(|error| format!("{found}: {error}"))
    }
}

impl Form {
    /// Fills a field in.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn fields(form: &str) -> Vec<(String, String)> {
    let inputs = form.split("<input").skip(1).filter_map(|after| {
        let tag = after.get(..after.find('>')?)?;
        let kind = attribute(tag, "type").unwrap_or_default();
        let unchecked = matches!(kind.as_str(), "radio" | "checkbox") && !tag.contains("checked");
        if unchecked || kind == "submit" {
            return None;
        }
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    inputs.collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!(" {name}="))?;
    quoted(tag.get(at + name.len() + 2..)?)
}

fn quoted(after: &str) -> Option<String> {
    let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = after.get(1..)?;
    let text = inner.get(..inner.find(quote)?)?;
    let plain =
        text.replace("&#x2f;", "/").replace("&#x2F;", "/").replace("&#34;", "\"").replace("&quot;", "\"");
    Some(plain.replace("&#x27;", "'").replace("&#39;", "'").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_what_it_would_post() {
        let body = "<form action=\"/other\"><input name=a></form><form method=post action='/pay?x=1&amp;y=2'>\
                    <input type=hidden name=\"t\" value=\"a&quot;b\"><input type=\"radio\" name=\"r\" value=\"1\">\
                    <input type=\"radio\" name=\"r\" value=\"2\" checked></form>";
        let page = Page {
            url: Url::parse("http://127.0.0.1:1/x").unwrap(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::from(body),
        };
        let form = page.form("/pay").unwrap();
        assert_eq!(form.action.as_str(), "http://127.0.0.1:1/pay?x=1&y=2");
        assert_eq!(form.fields, [("t".to_owned(), "a\"b".to_owned()), ("r".to_owned(), "2".to_owned())]);
    }
}
