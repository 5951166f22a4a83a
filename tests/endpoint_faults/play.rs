//! Plays a pack in this process.

use std::sync::{Arc, OnceLock};

use cucumber::{World as _, step::Collection};
use mesh_witness::{
    emulator::{Arrangement, Fault, Faults, Pki, Transport},
    protocol::{Password, SharedKey, WorkflowId},
    runner::{Emulated, Mailboxes, MeshWorld, Party, Plan, RunRecord, ScenarioRecord, Setting, load},
    tape::Redactor,
};

/// How connections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Plain,
    Tls,
}

/// One play.
#[derive(Debug, Clone, Copy)]
pub struct Play {
    pub fault: Option<Fault>,
    pub wire: Wire,
    pub concurrency: usize,
    pub pack: Pack,
    /// The seed of a random order; `None` for the pack's own.
    pub shuffled: Option<u64>,
}

/// A built-in pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pack {
    Witness,
    Endpoint,
}

/// Plays the scenarios that are wanted.
pub fn play(play: Play, wanted: impl Fn(&ScenarioRecord) -> bool) -> RunRecord {
    // Step definitions hold regular expressions, which take long to make.
    static STEPS: OnceLock<Collection<MeshWorld>> = OnceLock::new();
    let steps = STEPS.get_or_init(MeshWorld::collection).clone();
    let mut plan = planned(play.pack, play.shuffled, &steps);
    plan.leave_out(|scenario| (!wanted(scenario)).then(|| "not wanted".to_owned()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let setting = Arc::new(setting(&play).await);
        let never = std::future::pending();
        mesh_witness::runner::play(plan, setting, steps, play.concurrency, Box::new(|_| {}), never).await
    })
}

/// The definition of each step is looked for among all of them, which is not to be done again for each fault.
fn planned(pack: Pack, shuffled: Option<u64>, steps: &Collection<MeshWorld>) -> Plan {
    static WITNESS: OnceLock<Plan> = OnceLock::new();
    static ENDPOINT: OnceLock<Plan> = OnceLock::new();
    let (cache, name) = match pack {
        Pack::Witness => (&WITNESS, "witness"),
        Pack::Endpoint => (&ENDPOINT, "endpoint"),
    };
    let loaded = || load(&[name.to_owned()]).unwrap();
    let plan = |pack| Plan::new(pack, None, steps).unwrap();
    let Some(seed) = shuffled else { return cache.get_or_init(|| plan(loaded())).clone() };
    let (mut pack, mut random) = (loaded(), Random(seed));
    random.shuffle(&mut pack);
    pack.iter_mut().for_each(|loaded| random.shuffle(&mut loaded.feature.scenarios));
    plan(pack)
}

/// SplitMix64: the same order for the same seed on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Fisher and Yates.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() % (last as u64 + 1);
            items.swap(last, other as usize);
        }
    }
}

async fn setting(play: &Play) -> Setting {
    static PKI: OnceLock<Arc<Pki>> = OnceLock::new();
    let pki = Arc::clone(PKI.get_or_init(|| Arc::new(Pki::new().unwrap())));
    let (password, shared_key) = (Password::new("corr3ct"), SharedKey::new("stapl3"));
    let transport = match play.wire {
        Wire::Plain => Transport::Plain,
        Wire::Tls => Transport::MutualTls(Arc::clone(&pki)),
    };
    let faults = Faults::new(play.fault.into_iter().collect());
    let arrangement = Arrangement { faults, ..Arrangement::default() };
    let redactor = Redactor::with_common_password(&[], password.clone(), shared_key.clone());
    let emulated = Emulated::start(pki, transport, shared_key, password, arrangement).await.unwrap();
    let url = emulated.emulator.url();
    Setting::new(
        "test".to_owned(),
        "emulator".to_owned(),
        url,
        Party { name: "none".to_owned(), version: String::new() },
        None,
        WorkflowId::parse("WITNESS_TEST").unwrap(),
        Vec::new(),
        redactor,
        Mailboxes::Emulated(emulated),
    )
}
