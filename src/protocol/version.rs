//! Content versioning by `Accept` (OpenAPI, "API Versioning").

/// The shape of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiVersion {
    /// `application/json` or `application/vnd.mesh.v1+json`, and the default: the lowest.
    V1,
    /// `application/vnd.mesh.v2+json`.
    V2,
}

impl ApiVersion {
    /// What an `Accept` header asks for: the acceptable type with the highest weight, the first of
    /// equals; the lowest version when nothing in it names one.
    #[must_use]
    pub fn from_accept(header: Option<&str>) -> Self {
        let mut best: Option<(f32, Self)> = None;
        for item in header.unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default();
            let is = |known| media_type.eq_ignore_ascii_case(known);
            let version = if is("application/vnd.mesh.v2+json") {
                Self::V2
            } else if is("application/vnd.mesh.v1+json") || is("application/json") {
                Self::V1
            } else {
                continue;
            };
            let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('='));
            let weight = weight.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            if weight > 0.0 && best.is_none_or(|(before, _)| weight > before) {
                best = Some((weight, version));
            }
        }
        best.map_or(Self::V1, |(_, version)| version)
    }

    /// The media type of a reply in this version.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V1 => "application/json",
            Self::V2 => "application/vnd.mesh.v2+json",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_chooses_and_the_lowest_is_the_default() {
        use ApiVersion::{V1, V2};
        for (header, version) in [
            (None, V1),
            (Some("*/*"), V1),
            (Some("text/html"), V1),
            (Some("application/json"), V1),
            (Some("application/vnd.mesh.v1+json"), V1),
            (Some("application/vnd.mesh.v2+json"), V2),
            (Some("Application/Vnd.Mesh.V2+JSON"), V2),
            (Some("application/vnd.mesh.v2+json;q=0.9, application/json"), V1),
            (Some("application/json;q=0.9, application/vnd.mesh.v2+json"), V2),
            (Some("application/json; Q=0.9 , application/vnd.mesh.v2+json"), V2),
            (Some("application/vnd.mesh.v2+json, application/json"), V2),
            (Some("application/vnd.mesh.v2+json;q=0"), V1),
        ] {
            assert_eq!(ApiVersion::from_accept(header), version, "{header:?}");
        }
    }
}
