//! Certificates as far as a configuration must understand them: whose, from whom, and how long.

use std::fmt;

use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name, X509Version};

use super::error::{Complaint, visible};

/// A certificate with what a person wants to know of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    subject: String,
    issuer: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    ca: bool,
}

/// How long before its end a certificate is worth a warning, in days.
pub(super) const SOON: i64 = 30;

impl Certificate {
    /// Reads a certificate; `None` when it is none.
    pub(super) fn read(der: CertificateDer<'static>) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(&der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let time = |time: x509_parser::time::ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
        let (subject, issuer) = (name(parsed.subject()), name(parsed.issuer()));
        let not_before = time(parsed.validity().not_before)?;
        let not_after = time(parsed.validity().not_after)?;
        // Version 1 has no way to say that it is a CA; some old roots are version 1.
        let ca = parsed.is_ca() || parsed.version() == X509Version::V1;
        Some(Self { subject, issuer, not_before, not_after, ca, der })
    }

    /// The certificate itself.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Common name of the subject; the whole subject where it has none. On one line.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Common name of the issuer; the whole issuer where it has none. On one line.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The first second of its validity.
    #[must_use]
    pub fn not_before(&self) -> DateTime<Utc> {
        self.not_before
    }

    /// The last second of its validity.
    #[must_use]
    pub fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    /// Whole days from `now` to the end of its validity, rounded down: negative once that is over.
    #[must_use]
    pub fn days_left(&self, now: DateTime<Utc>) -> i64 {
        (self.not_after - now).num_seconds().div_euclid(24 * 60 * 60)
    }

    /// One line for a person: whose, from whom, how long.
    #[must_use]
    pub fn describe(&self, now: DateTime<Utc>) -> String {
        let Self { subject, issuer, .. } = self;
        let days = self.days_left(now);
        let left = match self.valid_at(now) {
            Ok(()) => format!("valid until {}, {}", second(self.not_after), left(days)),
            Err(_) if now < self.not_before => format!("not valid before {}", second(self.not_before)),
            Err(_) => format!("expired on {}", second(self.not_after)),
        };
        format!("{subject}, issued by {issuer}, {left}")
    }

    /// Whether it is one of a certificate authority.
    pub(super) fn is_ca(&self) -> bool {
        self.ca
    }

    pub(super) fn valid_at(&self, now: DateTime<Utc>) -> Result<(), Complaint> {
        let (over, mend) = if now < self.not_before {
            let over = format!("is not valid before {}", second(self.not_before));
            (over, "check this machine's clock, or wait")
        } else if now > self.not_after {
            (format!("expired on {}", second(self.not_after)), "ask its issuer for a new one")
        } else {
            return Ok(());
        };
        let what =
            format!("holds the certificate of {}, which {over} (now it is {})", self.subject, second(now));
        Err(Complaint::new(what, mend))
    }

    /// What to warn of when it is valid, but not for long.
    pub(super) fn soon_over(&self, now: DateTime<Utc>) -> Option<String> {
        let Self { subject, .. } = self;
        let soon = self.valid_at(now).is_ok() && self.days_left(now) < SOON;
        soon.then(|| {
            let left = left(self.days_left(now));
            format!("holds the certificate of {subject}, which expires on {}, {left}", second(self.not_after))
        })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

fn name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|common| common.as_str().ok());
    let text = common.map_or_else(|| name.to_string(), ToOwned::to_owned);
    if text.is_empty() { "(no name)".to_owned() } else { visible(&text) }
}

fn second(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn left(days: i64) -> String {
    match days {
        0 => "less than a day left".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    }
}
