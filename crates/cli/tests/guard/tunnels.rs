//! WebSocket through the own proxy, and the life of the key that opened it.

use crate::house::House;
use crate::reload::{IN_FORCE, api, echo, guard, tunnel, until};
use crate::upstream::Upstream;

/// LESSONS 1: a tunnel ends with its key, and one whose limit is used up goes on: to ask takes nothing.
#[test]
fn lesson_1_a_tunnel_ends_when_its_key_is_revoked_and_no_other() {
    let nobody = Upstream::start();
    let mut house = House::start(&nobody);
    house.reload(&guard(house.own, api("a"), ""), IN_FORCE);
    let (kept, _) = house.issue(&["--permission", "orders.*", "--limit", "default=1/1h"]);
    let (lost, id) = house.issue(&["--permission", "orders.*"]);
    let (mut stays, mut ends) = (tunnel(house.own, &kept), tunnel(house.own, &lost));
    assert_eq!((echo(&mut stays, 1), echo(&mut ends, 2)), (Some(1), Some(2)));
    house.run(&["keys", "revoke", &id, "--reason", "leaked"]);
    let mut said = 3;
    while echo(&mut ends, said) == Some(said) {
        said += 1;
    }
    until(|| house.log().contains("a tunnel ends: its request would be refused now"));
    assert_eq!(echo(&mut stays, 1), Some(1));
    drop(stays);
    house.server.take().unwrap().end();
}
