//! Where a run is played, and what may be played there.

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

/// Whether an endpoint is live MESH: patients' messages are there. Hosts of live Spine are below
/// `spineservices.nhs.uk` and `national.ncrs.nhs.uk` (OpenAPI, servers: Production); integration is below
/// `intspineservices.nhs.uk` and `spine2.ncrs.nhs.uk`.
#[must_use]
pub fn is_live(origin: &Origin) -> bool {
    let host = origin.host().trim_end_matches('.').to_ascii_lowercase();
    ["spineservices.nhs.uk", "national.ncrs.nhs.uk"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

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
    fn live_mesh_is_told_from_integration() {
        for (url, live) in [
            ("https://mesh-sync.spineservices.nhs.uk", true),
            ("https://MESH-SYNC.SpineServices.nhs.uk:443", true),
            ("https://msg.spineservices.nhs.uk", true),
            ("https://mesh-sync.national.ncrs.nhs.uk", true),
            ("https://msg.intspineservices.nhs.uk", false),
            ("https://msg.depspineservices.nhs.uk", false),
            ("https://msg.int.spine2.ncrs.nhs.uk", false),
            ("https://spineservices.nhs.uk.example.org", false),
            ("https://localhost:8700", false),
        ] {
            assert_eq!(is_live(&Origin::parse(url).unwrap()), live, "{url}");
        }
    }
}
