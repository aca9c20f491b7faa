//! `shm-handoff lab`: the two pages, to this machine alone, whatever a client does.

use crate::support::{DEADLINE, Peer, Run, SHM_HANDOFF, eventually, skipped};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;

/// A server at a free port, and its address.
fn serve(args: &[&str]) -> (Peer, SocketAddr, String) {
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["lab", "--port", "0"]).args(args);
    let mut peer = Run::new(command).start();
    peer.until("its address", |peer| peer.printed().ends_with(b"\n"));
    let url = String::from_utf8(peer.printed().to_vec()).unwrap().trim_end().to_owned();
    let (address, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap();
    (peer, address.parse().unwrap(), format!("/{path}"))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// What comes until the connection ends, one way or another.
fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    rest(&mut stream)
}

fn get(address: SocketAddr, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

fn page(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lab").join(file)).unwrap()
}

#[test]
fn both_pages_as_they_are_in_docs() {
    let (_server, address, path) = serve(&[]);
    assert_eq!((address.ip(), &path[..]), (IpAddr::from([127, 0, 0, 1]), "/"));
    for (path, file) in [("/", "index.html"), ("/index.html", "index.html"), ("/index.zh-CN.html", "index.zh-CN.html")]
    {
        let answer = get(address, path);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nConnection: close"), "{path}: {head}");
        assert!(body == page(file), "{path} is not docs/lab/{file}");
    }
    let (_server, _, path) = serve(&["--lang", "zh"]);
    assert_eq!(path, "/index.zh-CN.html");
}

#[test]
fn nothing_else() {
    let (_server, address, _) = serve(&[]);
    let status = |request: &str| ask(address, request).split("\r\n").next().unwrap_or_default().to_owned();
    assert_eq!(status("GET /Cargo.toml HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 404 Not Found");
    assert_eq!(status("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), "HTTP/1.1 403 Forbidden");
    assert_eq!(status("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nbody"), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(status("\0\0\0\0\r\n\r\n"), "HTTP/1.1 400 Bad Request");
}

/// Another address of this machine, over which others could come.
#[test]
fn on_no_other_address() {
    let (_server, address, _) = serve(&[]);
    let own = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        // (Nothing is sent: the kernel says which address it would send from.)
        socket.connect("192.0.2.1:9")?;
        Ok(socket.local_addr()?.ip())
    });
    let Some(own) = own.ok().filter(|own| !own.is_loopback()) else {
        return skipped("this machine has no address but loopback");
    };
    let refused = TcpStream::connect((own, address.port())).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Clients that say nothing, half of something, or take nothing of what they asked for.
#[test]
fn slow_clients_keep_nobody_waiting() {
    let (_server, address, _) = serve(&[]);
    let mut slow: Vec<TcpStream> = Vec::new();
    for number in 0..100 {
        let mut stream = connect(address);
        let begun = ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"][number % 3];
        stream.write_all(begun.as_bytes()).unwrap();
        slow.push(stream);
    }
    for _ in 0..3 {
        assert!(get(address, "/").starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn an_endless_request_ends() {
    let (server, address, _) = serve(&[]);
    let before = memory(server.pid());
    for begun in ["GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "GET /", "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut stream = connect(address);
        stream.write_all(begun.as_bytes()).unwrap();
        let chunk = vec![b'x'; 1 << 16];
        eventually("a connection that is closed", || stream.write_all(&chunk).is_err().then_some(()));
    }
    assert!(get(address, "/").starts_with("HTTP/1.1 200 OK\r\n"));
    let grown = memory(server.pid()).saturating_sub(before);
    assert!(grown < 8 << 10, "the server has grown by {grown} KiB");
}

/// The most that a process has had in memory, in KiB.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A client that asks byte by byte is heard, too.
#[test]
fn a_request_in_pieces() {
    let (_server, address, _) = serve(&[]);
    let mut stream = connect(address);
    stream.set_nodelay(true).unwrap();
    for byte in b"HEAD /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    let answer = rest(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn a_signal_ends_it() {
    for (signal, name) in [(libc::SIGINT, "SIGINT"), (libc::SIGTERM, "SIGTERM")] {
        let (server, address, _) = serve(&[]);
        let _idle = connect(address);
        server.signal(signal);
        server.end().code(128 + signal).says(&["ended by", name]);
    }
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["lab", "--port", &port]);
    Run::new(command).end().code(1).says(&[&format!("127.0.0.1:{port} can't be listened on"), "hint:", "--port 0"]);
}

/// Without `--port` one is found, whether or not the usual one is free.
#[test]
fn without_a_port() {
    let _taken = TcpListener::bind("127.0.0.1:1234");
    let mut command = Command::new(SHM_HANDOFF);
    command.arg("lab");
    let mut peer = Run::new(command).start();
    peer.until("its address", |peer| peer.printed().ends_with(b"/\n"));
    let url = String::from_utf8(peer.printed().to_vec()).unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && !url.contains(":1234/"), "{url}");
    peer.signal(libc::SIGINT);
    peer.end().code(130);
}
