//! Which endpoints are live.

/// MESH's live endpoints, by the name of their host (pack and onboarding guide: tests are never played
/// against them).
const LIVE: [&str; 3] =
    ["mesh-sync.spineservices.nhs.uk", "mesh-sync.national.ncrs.nhs.uk", "msg.spineservices.nhs.uk"];

/// Whether this is the host of a live MESH endpoint, where messages are patients' own.
#[must_use]
pub fn is_live(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    LIVE.iter().any(|live| host.eq_ignore_ascii_case(live))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_hosts_are_known_however_they_are_written() {
        for host in
            ["mesh-sync.spineservices.nhs.uk", "MSG.SpineServices.nhs.uk", "mesh-sync.national.ncrs.nhs.uk."]
        {
            assert!(is_live(host), "{host}");
        }
        for host in ["msg.intspineservices.nhs.uk", "msg.spineservices.nhs.uk.example", "localhost"] {
            assert!(!is_live(host), "{host}");
        }
    }
}
