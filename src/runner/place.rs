//! Where a run is played, and what may be played there.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use super::ScenarioRecord;
use crate::client::Origin;

/// Where a run is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At an emulator that this run has started for itself.
    Emulator,
    /// At an endpoint on this machine.
    Loopback,
    /// At a real one, which others use as well.
    Real,
}

/// What may be played, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// Where.
    pub place: Place,
    /// Whether connections are encrypted.
    pub encrypted: bool,
    /// Whether what is not `@int-safe` was asked for.
    pub beyond_int_safe: bool,
}

impl Permit {
    /// Why a scenario may not be played; `None` when it may.
    ///
    /// Tags decide: `@emulator-only` needs the run's own emulator, `@tls` a connection with TLS. What
    /// judges an endpoint (`@endpoint`) is played at a real one only where it is `@int-safe`, unless more
    /// was asked for.
    #[must_use]
    pub fn forbids(&self, scenario: &ScenarioRecord) -> Option<String> {
        let has = |tag: &str| scenario.tags.iter().any(|own| own == tag);
        if has("@emulator-only") && self.place != Place::Emulator {
            return Some("it needs the built-in emulator (@emulator-only)".to_owned());
        }
        if has("@tls") && !self.encrypted {
            return Some("it is about TLS, and the endpoint is called without (@tls)".to_owned());
        }
        let shared = scenario.judges_endpoint() && self.place == Place::Real;
        (shared && !has("@int-safe") && !self.beyond_int_safe).then(|| {
            "it is not @int-safe, and a real endpoint is shared; --beyond-int-safe plays it".to_owned()
        })
    }
}

/// Whether a URL says by itself that an endpoint is on this machine.
#[must_use]
pub(super) fn names_this_machine(url: &str) -> bool {
    Origin::parse(url).is_ok_and(|origin| origin.is_loopback())
}

/// The address of this machine that an endpoint turned out to have when it was connected to: a name from the hosts
/// file may lead anywhere, whatever it is called. `connected` are the origins that were called, and where they led.
#[must_use]
pub(super) fn reached_on_this_machine<'a>(
    url: &str,
    connected: impl Iterator<Item = (&'a str, SocketAddr)>,
) -> Option<IpAddr> {
    let endpoint = Origin::parse(url).ok()?;
    let of_endpoint = connected.filter(|(origin, _)| Origin::parse(origin).as_ref() == Ok(&endpoint));
    let reached: BTreeSet<IpAddr> = of_endpoint.map(|(_, address)| address.ip().to_canonical()).collect();
    reached.into_iter().find(|address| is_of_this_machine(*address))
}

/// Whether packets to this address would leave from the same address, and so stay here. None is sent.
fn is_of_this_machine(address: IpAddr) -> bool {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let leaves_from = || {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((address, DISCARD))?;
        socket.local_addr()
    };
    address.is_loopback() || leaves_from().is_ok_and(|from: SocketAddr| from.ip() == address)
}

/// Any port will do.
const DISCARD: u16 = 9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::Outcome;

    fn scenario(tags: &[&str]) -> ScenarioRecord {
        ScenarioRecord {
            attestation: None,
            deviation: None,
            case: None,
            requirements: vec![],
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            feature: String::new(),
            path: String::new(),
            line: 1,
            name: String::new(),
            description: String::new(),
            outcome: Outcome::NotRun(String::new()),
            started_at: None,
            ended_at: None,
            clock_moved: None,
            steps: vec![],
        }
    }

    #[test]
    fn tags_say_where_a_scenario_may_be_played() {
        use Place::{Emulator, Loopback, Real};
        for (tags, places) in [
            (&["@endpoint", "@int-safe"][..], &[Emulator, Loopback, Real][..]),
            (&["@endpoint"], &[Emulator, Loopback]),
            (&["@endpoint", "@large"], &[Emulator, Loopback]),
            (&["@endpoint", "@emulator-only"], &[Emulator]),
            (&["@endpoint", "@int-safe", "@emulator-only"], &[Emulator]),
            (&["@case-201"], &[Emulator, Loopback, Real]),
            (&["@case-703", "@emulator-only"], &[Emulator]),
        ] {
            for place in [Emulator, Loopback, Real] {
                let permit = Permit { place, encrypted: true, beyond_int_safe: false };
                let may = permit.forbids(&scenario(tags)).is_none();
                assert_eq!(may, places.contains(&place), "{tags:?} {place:?}");
            }
        }
    }

    #[test]
    fn more_is_played_where_more_was_asked_for_but_never_what_needs_the_emulator() {
        let permit = Permit { place: Place::Real, encrypted: true, beyond_int_safe: true };
        assert_eq!(permit.forbids(&scenario(&["@endpoint"])), None);
        assert!(permit.forbids(&scenario(&["@endpoint", "@emulator-only"])).is_some());
    }

    #[test]
    fn what_is_about_tls_needs_it() {
        let permit = Permit { place: Place::Emulator, encrypted: false, beyond_int_safe: false };
        assert!(permit.forbids(&scenario(&["@endpoint", "@tls"])).is_some());
    }

    #[test]
    fn an_address_of_this_machine_is_known_whatever_name_led_there() {
        for (address, here) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            // For documentation (RFC 5737, RFC 3849): nobody's, so not this machine's.
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_of_this_machine(address.parse().unwrap()), here, "{address}");
        }
        let outward = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        // Where this machine is on a network, its address there is its own.
        if outward.connect(("192.0.2.1", DISCARD)).is_ok() {
            assert!(is_of_this_machine(outward.local_addr().unwrap().ip()));
        }
    }

    #[test]
    fn what_the_name_of_an_endpoint_led_to_counts_and_nothing_else_does() {
        let url = "https://msg.intspineservices.nhs.uk";
        for (origin, address, here) in [
            (url, "192.0.2.1:443", None),
            (url, "127.0.0.1:443", Some("127.0.0.1")),
            (url, "[::ffff:127.0.0.1]:443", Some("127.0.0.1")),
            ("https://MSG.intspineservices.nhs.uk:443", "[::1]:443", Some("::1")),
            // Our own proxy before it, or an endpoint that one scenario has to itself.
            ("https://127.0.0.1:8443", "127.0.0.1:8443", None),
        ] {
            let connected = [(url, "192.0.2.1:443"), (origin, address)];
            let connected = connected.map(|(origin, address)| (origin, address.parse().unwrap()));
            let found = reached_on_this_machine(url, connected.into_iter());
            assert_eq!(found, here.map(|address| address.parse().unwrap()), "{origin} at {address}");
        }
    }
}
