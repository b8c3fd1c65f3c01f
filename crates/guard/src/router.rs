//! Which route a path belongs to: the most specific one, segment by segment.

use hashbrown::HashMap;

/// Paths to routes: a segment's own text comes before `*`, and that before `**`.
#[derive(Debug, Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literal: HashMap<Box<str>, Node>,
    any: Option<Box<Node>>,
    /// Routes of the path that ends here.
    here: Vec<usize>,
    /// Routes of `**` below here, which stands for nothing as well.
    rest: Vec<usize>,
}

impl Router {
    /// Adds a route by its canonical pattern.
    pub(crate) fn add(&mut self, pattern: &str, route: usize) {
        let mut node = &mut self.root;
        for segment in segments(pattern) {
            node = match segment {
                "**" => {
                    node.rest.push(route);
                    return;
                }
                "*" => node.any.get_or_insert_default(),
                literal => node.literal.entry(literal.into()).or_default(),
            };
        }
        node.here.push(route);
    }

    /// The routes of the most specific pattern that stands for this canonical path. Other patterns that stand for it,
    /// too, have no say: else a method that the specific one leaves out would be judged by a looser one.
    pub(crate) fn find(&self, path: &str) -> &[usize] {
        let segments: Vec<&str> = segments(path).collect();
        self.root.find(&segments).unwrap_or_default()
    }
}

impl Node {
    fn find(&self, segments: &[&str]) -> Option<&[usize]> {
        let Some((first, others)) = segments.split_first() else {
            return some(&self.here).or_else(|| some(&self.rest));
        };
        let literal = self.literal.get(*first).and_then(|node| node.find(others));
        literal
            .or_else(|| self.any.as_ref().filter(|_| !first.is_empty()).and_then(|node| node.find(others)))
            .or_else(|| some(&self.rest))
    }
}

fn some(routes: &[usize]) -> Option<&[usize]> {
    (!routes.is_empty()).then_some(routes)
}

/// What stands between the slashes; the first is at the path's beginning.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// What stands in a path for the `*`s of a pattern that stands for it, in order.
pub(crate) fn captures<'p>(pattern: &str, path: &'p str) -> Vec<&'p str> {
    let pairs = segments(pattern).zip(segments(path));
    pairs.filter(|(wanted, _)| *wanted == "*").map(|(_, sent)| sent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_domain::endpoints::EndpointRules;
    use proptest::prelude::*;

    fn router(patterns: &[&str]) -> Router {
        let mut router = Router::default();
        patterns.iter().enumerate().for_each(|(at, pattern)| router.add(pattern, at));
        router
    }

    #[test]
    fn the_most_specific_pattern_decides() {
        let router = router(&["/a/*", "/a/b", "/a/**", "/**", "/a/*/c", "/a/b/", "/"]);
        for (path, found) in [
            ("/a/x", Some(0)),
            ("/a/b", Some(1)),
            ("/a/b/", Some(5)),
            ("/a", Some(2)),
            ("/a/", Some(2)),
            ("/a/x/c", Some(4)),
            ("/a/b/c", Some(4)),
            ("/a/x/d", Some(2)),
            ("/z", Some(3)),
            ("/", Some(6)),
        ] {
            assert_eq!(router.find(path).first().copied(), found, "{path}");
        }
        assert_eq!(captures("/a/*/c/*", "/a/1/c/2"), ["1", "2"]);
    }

    #[test]
    fn an_empty_segment_is_nothing_for_a_star() {
        assert!(router(&["/a/*"]).find("/a/").is_empty());
        assert_eq!(router(&["/a/*", "/a/**"]).find("/a/"), [1]);
    }

    fn segment() -> impl Strategy<Value = String> {
        prop_oneof![Just("a".to_owned()), Just("b".to_owned()), Just("*".to_owned())]
    }

    proptest! {
        /// What it finds stands for the path by the rules of restrictions, and it finds something where one does.
        #[test]
        fn it_agrees_with_restrictions(
            patterns in proptest::collection::vec((proptest::collection::vec(segment(), 1..4), any::<bool>()), 1..8),
            path in proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c")], 0..5),
        ) {
            let patterns: Vec<String> = patterns
                .into_iter()
                .map(|(segments, rest)| format!("/{}{}", segments.join("/"), if rest { "/**" } else { "" }))
                .collect();
            let path = format!("/{}", path.join("/"));
            let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let router = router(&texts);
            let admits = |pattern: &str| {
                let endpoint = keystead_api::Endpoint { methods: Vec::new(), path: pattern.to_owned() };
                EndpointRules::parse(&[endpoint]).unwrap().admits("GET", &path)
            };
            match router.find(&path) {
                [] => prop_assert!(!texts.iter().any(|pattern| admits(pattern))),
                found => prop_assert!(found.iter().all(|at| admits(texts[*at]))),
            }
        }
    }
}
