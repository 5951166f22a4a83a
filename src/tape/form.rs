//! How parts of an exchange are written down where their types do not say so themselves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::TimingRecord;

/// Timings in whole microseconds: a number that every reader takes, and finer than any clock here.
#[derive(Serialize, Deserialize)]
pub(super) struct Timings {
    connect_us: Option<u64>,
    tls_us: Option<u64>,
    send_us: u64,
    wait_us: u64,
    receive_us: u64,
}

impl From<TimingRecord> for Timings {
    fn from(of: TimingRecord) -> Self {
        let us = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self {
            connect_us: of.connect.map(us),
            tls_us: of.tls.map(us),
            send_us: us(of.send),
            wait_us: us(of.wait),
            receive_us: us(of.receive),
        }
    }
}

impl From<Timings> for TimingRecord {
    fn from(of: Timings) -> Self {
        // A year: whatever is longer is no call, and sums of five stay far from overflow.
        let duration = |us: u64| Duration::from_micros(us.min(365 * 24 * 3600 * 1_000_000));
        Self {
            connect: of.connect_us.map(duration),
            tls: of.tls_us.map(duration),
            send: duration(of.send_us),
            wait: duration(of.wait_us),
            receive: duration(of.receive_us),
        }
    }
}

/// Bytes as base64.
pub(super) mod base64 {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(of: &Option<Bytes>, to: S) -> Result<S::Ok, S::Error> {
        of.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bytes>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let bytes = text.map(|text| STANDARD.decode(text).map_err(D::Error::custom)).transpose()?;
        Ok(bytes.map(Bytes::from))
    }
}

/// What several exchanges share, written with each of them.
pub(super) mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(of: &Option<Arc<T>>, to: S) -> Result<S::Ok, S::Error> {
        of.as_deref().serialize(to)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Arc<T>>, D::Error> {
        Ok(Option::<T>::deserialize(from)?.map(Arc::new))
    }
}
