//! The keys that sign: that there is always one, on every node the same, and that one that has leaked is gone at once.

use super::*;

pub(crate) async fn another_key_signs_each_month_and_each_is_published_before_and_after(house: House) {
    let admin = house.admin();
    let api = guarded(&house, &admin, None).await;
    let key = house.key(&admin, CreateKey::default()).await.key;
    let mut signed = vec![kid(&api.token(&key).await)];
    assert_eq!(kids(&house.keystead), signed);
    for _ in 0..65 * 4 {
        let cached = kids(&house.keystead);
        let last = api.token(&key).await;
        house.clock.step(DAY / 4);
        let token = api.token(&key).await;
        assert!(cached.contains(&kid(&token)), "whoever cached the keys for hours knows the one that signs");
        house.keystead.tend_identity_keys().await.unwrap();
        assert!(kids(&house.keystead).contains(&kid(&last)), "what was signed before is still verified");
        assert!(kids(&house.keystead).len() <= 2);
        if signed.last() != Some(&kid(&token)) {
            signed.push(kid(&token));
        }
    }
    assert_eq!(signed.len(), 3, "{signed:?}");
    assert!(!kids(&house.keystead).contains(&signed[0]));
}

pub(crate) async fn an_exchange_of_the_root_key_keeps_the_keys(mut house: House) {
    let admin = house.admin();
    let key = {
        guarded(&house, &admin, None).await;
        house.key(&admin, CreateKey::default()).await.key
    };
    let before = kids(&house.keystead);
    house.keystead.rotate_root_key(&admin).await.unwrap();
    house.restart().await;
    assert_eq!(kids(&house.keystead), before);
    let grant = narrowed("keys.verify", &["projects/acme/environments/production"]);
    let admin = house.admin();
    let api = Api { node: &house.keystead, proxy: house.key_of(&admin, vec![grant]).await };
    assert_eq!(kid(&api.token(&key).await), before[0]);
}

pub(crate) async fn a_replaced_key_signs_nothing_more(house: House) {
    let admin = house.admin();
    let api = guarded(&house, &admin, None).await;
    let key = house.key(&admin, CreateKey::default()).await.key;
    let before = api.token(&key).await;
    let audience = said(&before)["aud"].as_str().unwrap().to_owned();
    let new = house.keystead.replace_identity_keys(&admin).await.unwrap();
    let after = api.token(&key).await;
    assert_eq!(kid(&after), new.id);
    verified(&house.keystead, &after, &audience).unwrap();
    assert!(verified(&house.keystead, &before, &audience).is_err(), "its key is not published");
    // They make way for each other as before.
    house.clock.step(29 * DAY + SECOND);
    house.keystead.tend_identity_keys().await.unwrap();
    assert_eq!(kids(&house.keystead).len(), 2);
    assert_eq!(kid(&api.token(&key).await), new.id);
}

/// Two on one PostgreSQL, where there is one.
async fn two_nodes() -> Option<(House, Arc<Keystead>)> {
    let Some(store) = postgres().await else {
        println!("not run: {POSTGRES_VARIABLE} is not set");
        return None;
    };
    let mut here = House::open(store).await;
    let there = here.another_node().await;
    Some((here, there))
}

/// Waits until a node has heard of the guard that was set on the other.
async fn hears_of(node: &Arc<Keystead>, api: &Api<'_>) {
    let mut rounds = node.feed();
    while node.open_door(&api.proxy).await.is_err() {
        rounds.changed().await.unwrap();
    }
}

/// Waits until these are what a node publishes; nothing else tells of it.
async fn come_to_sign(node: &Keystead, ids: &[&str]) {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    while published(node).as_ref() != Some(&ids) {
        tokio::task::yield_now().await;
    }
}

/// Wherever a request comes in, every node's published keys verify what is told of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_sign_with_one_key_and_make_the_next_once() {
    let Some((here, there)) = two_nodes().await else { return };
    let admin = here.admin();
    let api = guarded(&here, &admin, None).await;
    let key = here.key(&admin, CreateKey::default()).await.key;
    hears_of(&there, &api).await;
    let also = Api { node: &there, proxy: api.proxy.clone() };
    for _ in 0..3 {
        let (one, other) = tokio::join!(here.keystead.tend_identity_keys(), there.tend_identity_keys());
        one.and(other).unwrap();
        assert_eq!(kids(&here.keystead), kids(&there));
        let (one, other) = (api.token(&key).await, also.token(&key).await);
        let audience = said(&one)["aud"].as_str().unwrap().to_owned();
        verified(&there, &one, &audience).unwrap();
        verified(&here.keystead, &other, &audience).unwrap();
        assert_eq!(kid(&one), kid(&other));
        here.clock.step(29 * DAY + DAY / 2);
    }
    there.close().await;
}

/// LESSONS 1: a node that did not hear of it would go on signing with what has leaked, and publishing it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_1_a_key_that_is_replaced_on_one_node_signs_on_none() {
    let Some((here, there)) = two_nodes().await else { return };
    let admin = here.admin();
    let api = guarded(&here, &admin, None).await;
    let key = here.key(&admin, CreateKey::default()).await.key;
    hears_of(&there, &api).await;
    let also = Api { node: &there, proxy: api.proxy.clone() };
    let before = also.token(&key).await;
    let new = here.keystead.replace_identity_keys(&admin).await.unwrap().id;
    come_to_sign(&there, &[&new]).await;
    assert_ne!(kid(&before), new);
    assert_eq!(kid(&also.token(&key).await), new);
    // What another node reads every hour does not bring it back.
    there.tend_identity_keys().await.unwrap();
    assert_eq!((kids(&there), kids(&here.keystead)), (vec![new.clone()], vec![new]));
    there.close().await;
}

/// The order after a leak of the root key: until a node has the new one, it signs nothing; then what that sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_signs_again_as_soon_as_it_has_the_root_key() {
    let Some((here, there)) = two_nodes().await else { return };
    let admin = here.admin();
    here.keystead.rotate_root_key(&admin).await.unwrap();
    let new = here.keystead.replace_identity_keys(&admin).await.unwrap();
    come_to_sign(&there, &[]).await;
    assert_eq!(there.list_identity_keys(&admin).await.unwrap().items, [], "what does not open signs nothing");
    there.rotate_root_key(&admin).await.unwrap();
    assert_eq!(kids(&there), [new.id.as_str()]);
    assert_eq!(there.list_identity_keys(&admin).await.unwrap().items, [new]);
    there.close().await;
}

/// Of what it could not read in the feed a node reads everything anew, these too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_left_behind_reads_the_keys_again() {
    let Some((house, there)) = two_nodes().await else { return };
    assert_eq!(kids(&there).len(), 1);
    // It opens at its own place only; were there none, a job would make the next.
    let sql = "BEGIN; UPDATE identity_keys SET id = decode(repeat('09', 16), 'hex'); INSERT INTO feed (at, organization_id, kind, target) \
         SELECT 0, organization_id, 'key', id FROM keys; INSERT INTO installation (name, value) \
         SELECT 'feed_trimmed_to', CAST(max(seq) AS TEXT) FROM feed; DELETE FROM feed; COMMIT";
    sqlx::raw_sql(sql).execute(&mut house.session().await).await.unwrap();
    come_to_sign(&there, &[]).await;
    there.close().await;
}
