//! A Merkle tree to which leaves are only ever added (RFC 6962 §2.1), kept as the few hashes along its right
//! edge: enough to add the next leaf and to tell the root.

use aws_lc_rs::digest::{Context, SHA256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Before what a leaf hashes, so that no inner node can be taken for a leaf.
const LEAF: u8 = 0;
/// Before what an inner node hashes.
const NODE: u8 = 1;

/// A tree, by its right edge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// The roots of the perfect subtrees that it consists of, the largest first: one for each 1 in `size`.
    edge: Vec<Hash>,
}

impl Tree {
    /// A tree of that size and right edge, as they were kept; `None` when they do not belong together.
    #[must_use]
    pub fn from_parts(size: u64, edge: &[u8]) -> Option<Self> {
        let (hashes, rest) = edge.as_chunks::<32>();
        let fits = rest.is_empty() && u64::from(size.count_ones()) == u64::try_from(hashes.len()).ok()?;
        fits.then(|| Self { size, edge: hashes.to_vec() })
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Its right edge, as [`Self::from_parts`] reads it.
    #[must_use]
    pub fn edge(&self) -> Vec<u8> {
        self.edge.concat()
    }

    /// Adds a leaf.
    pub fn add(&mut self, leaf: &[u8]) {
        let mut hash = hash(LEAF, &[leaf]);
        // As in adding 1 to a number: each perfect subtree of the same size is carried.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                hash = self::hash(NODE, &[&left, &hash]);
            }
        }
        self.edge.push(hash);
        self.size += 1;
    }

    /// Its root: the hash of all leaves in their order.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut edge = self.edge.iter().rev();
        let Some(last) = edge.next() else { return hash_of_nothing() };
        edge.fold(*last, |right, left| hash(NODE, &[left, &right]))
    }
}

fn hash_of_nothing() -> Hash {
    finish(Context::new(&SHA256))
}

fn hash(kind: u8, parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[kind]);
    parts.iter().for_each(|part| context.update(part));
    finish(context)
}

pub(super) fn finish(context: Context) -> Hash {
    let mut hash = [0; 32];
    // SHA-256 has 32 bytes.
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As RFC 6962 §2.1 defines it.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => hash_of_nothing(),
            [leaf] => hash(LEAF, &[leaf]),
            leaves => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                hash(NODE, &[&by_definition(left), &by_definition(right)])
            }
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// The leaves and roots of the tests of Certificate Transparency's reference implementation.
    #[test]
    fn roots_are_those_of_the_reference() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        assert_eq!(hex(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (leaf, root) in leaves.into_iter().zip(roots) {
            tree.add(&bytes(leaf));
            assert_eq!(hex(&tree.root()), root);
        }
    }

    proptest! {
        #[test]
        fn the_root_is_the_definitions_also_after_a_pause(
            leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..70),
            pause in 0_usize..70,
        ) {
            let mut tree = Tree::default();
            for (index, leaf) in leaves.iter().enumerate() {
                if index == pause {
                    tree = Tree::from_parts(tree.size(), &tree.edge()).unwrap();
                }
                tree.add(leaf);
                prop_assert_eq!(tree.root(), by_definition(&leaves[..=index]));
            }
            prop_assert_eq!(Tree::from_parts(tree.size() + 1, &[tree.edge(), vec![0; 64]].concat()), None);
        }
    }
}
