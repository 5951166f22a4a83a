//! Whole requests against a running endpoint: no bytes get a 5xx, and none stop it.
//!
//! Of the input, lines that begin with `@` become an `Authorization` header with a good token, so
//! that the fuzzer gets past the door without knowing HMAC. There is an endpoint of each profile, with the admin
//! routes; the input's length says which is called.
#![no_main]

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::LazyLock,
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use mesh_witness::{
    emulator::{Arrangement, Clock, Emulator, Limits, Policy, Profile, Settings, Switches, Transport},
    protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey, Token},
};
use tokio::runtime::Runtime;
use uuid::Uuid;

struct Endpoint {
    address: SocketAddr,
    clock: Clock,
    _emulator: Emulator,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime")
});

static ENDPOINTS: LazyLock<[Endpoint; 3]> =
    LazyLock::new(|| [Profile::Int, Profile::Spec, Profile::Sandbox].map(endpoint));

fn endpoint(profile: Profile) -> Endpoint {
    let clock = Clock::new();
    let limits = Limits { held_bytes: 64 << 20, ..Limits::default() };
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        transport: Transport::Plain,
        shared_key: SharedKey::new("TestKey"),
        mailboxes: vec![(mailbox(), Password::new("password"))],
        policy: Policy::default(),
        limits,
        clock: clock.clone(),
        watcher: None,
    };
    let arrangement = Arrangement { switches: Switches::of(profile), admin: true, ..Arrangement::default() };
    let emulator = RUNTIME.block_on(Emulator::start_arranged(settings, arrangement)).expect("an endpoint");
    Endpoint { address: emulator.address(), clock, _emulator: emulator }
}

fuzz_target!(|input: &[u8]| {
    let endpoint = &ENDPOINTS[input.len() % ENDPOINTS.len()];
    let Ok(mut stream) = TcpStream::connect(endpoint.address) else { panic!("the endpoint is gone") };
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let _ = stream.write_all(&with_tokens(input, endpoint));
    // Nothing more comes, so that the endpoint does not wait for it.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let slow = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!slow, "no answer in twenty seconds");
    }
    if let Some(status) = answer.get(9..12) {
        assert!(answer.starts_with(b"HTTP/1."), "an answer is HTTP");
        // 507: what the fuzzer has sent so far fills what the endpoint may hold.
        assert!(status[0] != b'5' || status == b"507", "{}", String::from_utf8_lossy(&answer));
    }
});

fn with_tokens(input: &[u8], endpoint: &Endpoint) -> Vec<u8> {
    let mut request = Vec::with_capacity(input.len() + 200);
    for (index, line) in input.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            request.push(b'\n');
        }
        if line.first() == Some(&b'@') {
            let credentials = Credentials {
                mailbox: mailbox(),
                password: Password::new("password"),
                shared_key: SharedKey::new("TestKey"),
            };
            let token = Token::build(&credentials, Uuid::new_v4(), NonceCount::new(0), endpoint.clock.now());
            request.extend_from_slice(format!("Authorization: {token}\r").as_bytes());
        } else {
            request.extend_from_slice(line);
        }
    }
    request
}

fn mailbox() -> MailboxId {
    MailboxId::parse("X26ABC1").expect("a mailbox ID")
}
