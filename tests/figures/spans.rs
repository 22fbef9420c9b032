//! Spans around verbs and calls to the store.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tower_jwt_session::revocation::EndReason;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Subscriber, subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::support::{self, admit, sign_in, user};

/// A span of ours: its name, the place of the one around it, and its fields.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: &'static str,
    around: Option<usize>,
    fields: BTreeMap<&'static str, String>,
}

#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Seen>>>);

/// Where a span stands among those that were seen.
struct Place(usize);

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !attributes
            .metadata()
            .target()
            .starts_with("tower_jwt_session")
        {
            return;
        }
        assert_eq!(*attributes.metadata().level(), Level::DEBUG);
        let span = context.span(id).expect("it was just made");
        let around = span.parent();
        let around = around.and_then(|span| Some(span.extensions().get::<Place>()?.0));
        let mut seen = Seen {
            name: attributes.metadata().name(),
            around,
            ..Seen::default()
        };
        attributes.record(&mut seen);
        let mut spans = self.0.lock().unwrap();
        span.extensions_mut().insert(Place(spans.len()));
        spans.push(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("it is open");
        if let Some(Place(place)) = span.extensions().get() {
            values.record(&mut self.0.lock().unwrap()[*place]);
        }
    }
}

impl Spans {
    /// Whether a call to the store hangs below a span with this field, and which outcome that had.
    fn around_store(&self, operation: &str) -> Vec<Seen> {
        let spans = self.0.lock().unwrap();
        let calls = spans.iter().filter(|seen| {
            seen.name == "store"
                && seen
                    .fields
                    .get("operation")
                    .is_some_and(|one| one == operation)
        });
        let around = calls.filter_map(|call| Some(spans[call.around?].clone()));
        around.collect()
    }
}

#[tokio::test]
async fn what_a_verb_asks_of_the_store_hangs_below_it_also_from_tasks_of_its_own() {
    let spans = Spans::default();
    let _guard = subscriber::set_default(Registry::default().with(spans.clone()));
    let (builder, _clock) = support::builder();
    let auth = builder.build().unwrap();
    let ada = user("ada.lovelace");
    let tokens = sign_in(&auth, &ada).await.unwrap();
    let refresh_token = tokens.refresh_token.clone().unwrap();
    auth.sessions().refresh(&refresh_token).await.unwrap();
    auth.sessions()
        .end(tokens.session_id, EndReason::SignedOut)
        .await
        .unwrap();
    admit(&auth, &tokens.access_token).await.unwrap_err();

    for verb in ["sign_in", "refresh", "end"] {
        let around = spans.around_store(verb);
        let [only] = &around[..] else {
            panic!("{verb}: {around:?}");
        };
        assert_eq!((only.name, &*only.fields["verb"]), ("session", verb));
        assert_eq!(only.fields["outcome"], "done");
    }
    let seen = format!("{:?}", spans.0.lock().unwrap());
    for secret in [&tokens.access_token, &refresh_token] {
        for part in secret.split('.').filter(|part| part.len() > 8) {
            assert!(!seen.contains(part), "a token is in {seen}");
        }
    }
    assert!(!seen.contains("lovelace"), "a name is in {seen}");
}

#[tokio::test]
async fn a_request_that_waits_for_the_store_has_a_span_and_one_that_does_not_has_none() {
    let (builder, _clock) = support::builder();
    let auth = builder.build().unwrap();
    let running = auth.start().await.unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let spans = Spans::default();
    let _guard = subscriber::set_default(Registry::default().with(spans.clone()));
    admit(&auth, &tokens.access_token).await.unwrap();
    let asked = spans.around_store("ask");
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].name, "confirm");
    let confirms = || {
        let spans = spans.0.lock().unwrap();
        spans.iter().filter(|seen| seen.name == "confirm").count()
    };
    assert_eq!(confirms(), 1);
    admit(&auth, &tokens.access_token).await.unwrap();
    assert_eq!(confirms(), 1);
    running.shutdown().await;
}
