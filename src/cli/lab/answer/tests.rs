use super::{LONGEST, to};

fn status(request: &str) -> String {
    let answer = to(request.as_bytes()).unwrap_or_else(|| panic!("{request:?} is a whole request"));
    answer.head.split("\r\n").next().unwrap().strip_prefix("HTTP/1.1 ").unwrap().to_owned()
}

#[test]
fn a_browser_on_this_machine_gets_both_pages() {
    for host in ["127.0.0.1:1234", "localhost", "LOCALHOST:80", "[::1]:7", "127.0.0.1"] {
        for path in ["/", "/index.html", "/index.zh-CN.html", "/?x=1"] {
            let answer = to(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
            assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\n"), "{host} {path}: {}", answer.head);
            assert!(answer.body.starts_with("<!doctype html>"), "{host} {path}");
            assert_eq!(answer.body.contains("lang=\"zh-CN\">\n<head>"), path.contains("zh"), "{path}");
        }
    }
}

#[test]
fn another_name_is_refused() {
    for host in ["example.org", "127.0.0.1.example.org", "localhost:80:80", "", "127.0.0.1:", "10.0.0.1:1234"] {
        assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), "403 Forbidden", "{host}");
    }
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), "400 Bad Request");
    assert_eq!(status("GET / HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n"), "400 Bad Request");
}

#[test]
fn another_method_or_path_is_refused() {
    for method in ["POST", "PUT", "OPTIONS", "CONNECT", "get"] {
        let answer = to(format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
        assert!(answer.head.starts_with("HTTP/1.1 405 ") && answer.head.contains("\r\nAllow: GET, HEAD\r\n"));
    }
    for path in ["/favicon.ico", "/../Cargo.toml", "//", "/index.htm", "http://localhost/", "*"] {
        assert_eq!(status(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")), "404 Not Found", "{path}");
    }
}

#[test]
fn head_has_the_length_and_no_page() {
    let head = to(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let get = to(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!((&head.head, head.body), (&get.head, ""));
}

#[test]
fn what_is_no_request_ends_soon() {
    assert_eq!(to(b""), None);
    assert_eq!(to(b"GET / HTTP/1.1\r\nHost: localho"), None);
    assert_eq!(status("\u{16}\u{3}\u{1}not http\r\n\r\n"), "400 Bad Request");
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(LONGEST));
    assert_eq!(status(&endless), "431 Request Header Fields Too Large");
    assert_eq!(status(&format!("GET /{}", "x".repeat(LONGEST))), "431 Request Header Fields Too Large");
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(65));
    assert_eq!(status(&many), "431 Request Header Fields Too Large");
}
