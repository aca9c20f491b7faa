//! What a request gets: one of two pages, or a word about why not.

use httparse::{EMPTY_HEADER, Error, Request, Status};

const ENGLISH: &str = "/index.html";
pub(super) const CHINESE: &str = "/index.zh-CN.html";

/// What can be had. `/` is the English page: the Chinese one is asked for by its name.
const PAGES: [(&str, &str); 3] = [
    ("/", include_str!("../../../docs/lab/index.html")),
    (ENGLISH, include_str!("../../../docs/lab/index.html")),
    (CHINESE, include_str!("../../../docs/lab/index.zh-CN.html")),
];

/// The names by which a browser on this machine asks. Any other name leads here only where somebody made
/// it do so, such as a page that has its own name resolve to 127.0.0.1.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Bytes that a request has at most: a browser's has less than one thousand.
pub(super) const LONGEST: usize = 8192;

/// Header fields that a request has at most.
const FIELDS: usize = 64;

/// What is sent back: its head, and what comes behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) head: String,
    pub(super) body: &'static str,
}

/// The answer to what has come so far; `None` if that is not yet a whole request.
pub(super) fn to(bytes: &[u8]) -> Option<Answer> {
    let mut fields = [EMPTY_HEADER; FIELDS];
    let mut request = Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(Status::Partial) if bytes.len() < LONGEST => None,
        Ok(Status::Partial) | Err(Error::TooManyHeaders) => Some(refuse("431 Request Header Fields Too Large", "")),
        Ok(Status::Complete(_)) => Some(to_whole(&request)),
        Err(_) => Some(refuse("400 Bad Request", "")),
    }
}

fn to_whole(request: &Request<'_, '_>) -> Answer {
    let mut hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.value,
        _ => return refuse("400 Bad Request", ""),
    };
    if !is_this_machine(host) {
        return refuse("403 Forbidden", "");
    }
    let is_head = request.method == Some("HEAD");
    if !is_head && request.method != Some("GET") {
        return refuse("405 Method Not Allowed", "Allow: GET, HEAD\r\n");
    }
    let path = request.path.unwrap_or_default().split('?').next().unwrap_or_default();
    match PAGES.iter().find(|(name, _)| *name == path) {
        Some((_, page)) => answer("200 OK", "text/html", "", page, is_head),
        None => answer("404 Not Found", "text/plain", "", NOT_FOUND, is_head),
    }
}

const NOT_FOUND: &str = "Not found. The lab is at / and at /index.zh-CN.html.\n";

fn is_this_machine(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn refuse(status: &str, more: &str) -> Answer {
    answer(status, "text/plain", more, "This server has the lab's two pages, for a browser on this machine.\n", false)
}

fn answer(status: &str, kind: &str, more: &str, body: &'static str, is_head: bool) -> Answer {
    let head = format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: {kind}; charset=utf-8\r\n\
         Content-Length: {}\r\n\
         Cache-Control: no-cache\r\n\
         Connection: close\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\
         Referrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\n\
         X-Frame-Options: DENY\r\n\
         {more}\r\n",
        body.len()
    );
    Answer { head, body: if is_head { "" } else { body } }
}

#[cfg(test)]
mod tests;
