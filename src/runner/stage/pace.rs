//! When a driven product may be asked to look into its inbox.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::Ask;
use crate::{protocol::Operation, rules, tape::Exchange};

/// Whether it asks for a look although nothing is known to wait in the inbox. Directly after a send a product is to
/// look all the same, as the pack has it.
pub(super) fn concerns(ask: &Ask<'_>) -> bool {
    matches!(ask, Ask::List | Ask::TakeReport { .. })
}

/// How long ago the product looked last, whether it was asked to or not.
pub(super) fn since_last_look(tape: &[Arc<Exchange>], now: DateTime<Utc>) -> Option<Duration> {
    let is_look = |act: &&&Arc<Exchange>| matches!(act.operation, Some(Operation::CheckInbox(_)));
    let last = rules::of_product(tape).iter().filter(is_look).map(|act| act.started_at).max()?;
    Some((now - last).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chrono::TimeDelta;
    use tokio::time::timeout;

    use super::*;
    use crate::{protocol::MessageId, runner::setting::tests::a_setting, tape::Actor};

    #[test]
    fn only_a_look_that_nothing_is_known_to_wait_for_has_to_wait() {
        let id = MessageId::parse("20261121120000000000_ABCDEF").unwrap();
        assert!(concerns(&Ask::List) && concerns(&Ask::TakeReport { about: &id, is_report: |_, _| false }));
        assert!(!concerns(&Ask::CheckInbox) && !concerns(&Ask::Handshake));
        assert!(!concerns(&Ask::Receive { message: &id, takes_gzip: false }));
        assert!(!concerns(&Ask::Drain { expected: &[id.to_string()].into() }));
    }

    #[test]
    fn the_products_own_looks_count_and_nobody_elses() {
        let now = Utc::now();
        let call = |line: &str, actor, seconds| {
            let mut exchange = rules::tests::exchange(line, 200, "{}");
            (exchange.actor, exchange.started_at) = (actor, now - TimeDelta::seconds(seconds));
            Arc::new(exchange)
        };
        let look = "GET /messageexchange/A/inbox";
        let tape = [
            call(look, Actor::Product, 70),
            call(look, Actor::Product, 60),
            call("POST /messageexchange/A/outbox", Actor::Product, 20),
            call(look, Actor::Counterpart, 10),
        ];
        assert_eq!(since_last_look(&tape, now), Some(Duration::from_secs(60)));
        assert_eq!(since_last_look(&tape[2..], now), None);
    }

    #[tokio::test]
    async fn the_rest_of_five_minutes_is_waited_for_at_a_real_endpoint_only() {
        for (real, told) in [(true, true), (false, false)] {
            let mut setting = a_setting();
            let said = Arc::new(Mutex::new(String::new()));
            let sink = Arc::clone(&said);
            (setting.real, setting.notice) =
                (real, Arc::new(move |text: &str| sink.lock().unwrap().push_str(text)));
            setting.was_listed("A", Duration::from_secs(60));
            let waited = timeout(Duration::from_millis(1), setting.may_list("A")).await.is_err();
            let said = said.lock().unwrap();
            assert_eq!((waited, said.contains("waiting 2")), (told, told), "{said}");
        }
    }
}
