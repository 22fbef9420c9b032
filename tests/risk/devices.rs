//! Who is told of a new device, and of which.

use std::time::Duration;

use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::{AddressDetail, DeviceCookie, Transport};

use crate::support::user;
use crate::watched::{BERLIN, NOWHERE, TOKYO, Watched, at, on};

const PHONE: &str = "Safari on iOS";

async fn telling() -> Watched {
    Watched::with(|builder| builder).await
}

#[tokio::test]
async fn a_first_session_and_a_device_that_was_here_before_are_no_news() {
    let world = telling().await;
    world.sign_in(at(BERLIN)).await.unwrap();
    world.sign_in(at(BERLIN)).await.unwrap();
    assert!(world.notices().is_empty());
    let phone = world.sign_in(on(PHONE, NOWHERE)).await.unwrap();
    let told = world.notices();
    assert_eq!(told.len(), 1);
    let notice = &told[0];
    assert_eq!(notice.session, phone.session_id);
    assert_eq!(notice.user, user("ada"));
    assert_eq!(notice.device, PHONE);
    assert_eq!(notice.address.unwrap().to_string(), NOWHERE);
    assert_eq!(notice.place(), None);
    assert_eq!(notice.at, world.record(&phone).await.created_at);
    world.sign_in(on(PHONE, NOWHERE)).await.unwrap();
    assert!(world.notices().is_empty());
}

#[tokio::test]
async fn the_same_program_in_another_country_is_news() {
    let world = telling().await;
    world.sign_in(at(BERLIN)).await.unwrap();
    world.sign_in(at(TOKYO)).await.unwrap();
    let told = world.notices();
    assert_eq!(told[0].place().as_deref(), Some("Tokyo, Japan"));
}

#[tokio::test]
async fn an_address_is_told_as_short_as_it_is_kept() {
    let short = |builder: tower_jwt_session::JwtSessionBuilder| {
        builder.stored_addresses(AddressDetail::Shortened)
    };
    let world = Watched::with(short).await;
    world.sign_in(at(BERLIN)).await.unwrap();
    world.sign_in(on(PHONE, TOKYO)).await.unwrap();
    let told = world.notices();
    assert_eq!(told[0].address.unwrap().to_string(), "203.0.113.0");
    assert_eq!(told[0].place().as_deref(), Some("Tokyo, Japan"));
}

#[tokio::test]
async fn a_browser_that_kept_its_cookie_is_known_wherever_it_is_and_one_without_is_not() {
    let world = telling().await;
    let first = world
        .sign_in_by(at(BERLIN), Transport::Cookie)
        .await
        .unwrap();
    let cookie = first.device_cookie.expect("it is to be kept");
    let with = |cookie: &DeviceCookie, address| {
        let mut device = at(address);
        device.cookie = Some(cookie.clone());
        world.sign_in_by(device, Transport::Cookie)
    };
    let again = with(&cookie, TOKYO).await.unwrap();
    assert_eq!(
        again.device_cookie.as_ref(),
        Some(&cookie),
        "for another year"
    );
    assert!(world.notices().is_empty());

    world
        .sign_in_by(at(BERLIN), Transport::Cookie)
        .await
        .unwrap();
    assert_eq!(
        world.notices().len(),
        1,
        "the same browser of somebody else"
    );
    let forged = DeviceCookie::parse("AAAAAAAAAAAAAAAAAAAAAA").expect("of that shape");
    with(&forged, BERLIN).await.unwrap();
    assert_eq!(world.notices().len(), 1);
}

#[tokio::test]
async fn a_device_that_was_signed_out_from_afar_is_news_when_it_comes_back() {
    let world = telling().await;
    world.sign_in(at(BERLIN)).await.unwrap();
    let stranger = world.sign_in(on(PHONE, NOWHERE)).await.unwrap();
    assert_eq!(world.notices().len(), 1);
    let (sessions, ada) = (world.auth.sessions(), user("ada"));
    let reason = EndReason::UserRevoked;
    let ended = sessions.end_own(&ada, stranger.session_id, reason).await;
    let _done = ended.unwrap();
    world.clock.advance(Duration::from_secs(60));
    world.sign_in(on(PHONE, NOWHERE)).await.unwrap();
    assert_eq!(world.notices().len(), 1);
}
