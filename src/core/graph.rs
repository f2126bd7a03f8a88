//! Who needs whom: finding a circle among references.

use std::collections::{BTreeMap, BTreeSet};

/// A circle in `edges`, as the nodes along it, the first one again at the end; `None` where there
/// is none. The same edges give the same circle.
#[must_use]
pub fn cycle<N: Ord + Clone>(edges: &BTreeMap<N, Vec<N>>) -> Option<Vec<N>> {
    let mut done = BTreeSet::new();
    edges.keys().find_map(|start| walk(start, edges, &mut done))
}

/// Depth first, with the way here on a stack of our own: references may be nested deeply.
fn walk<'n, N: Ord + Clone>(
    start: &'n N,
    edges: &'n BTreeMap<N, Vec<N>>,
    done: &mut BTreeSet<&'n N>,
) -> Option<Vec<N>> {
    let mut way: Vec<(&N, usize)> = vec![(start, 0)];
    while let Some((node, next)) = way.last_mut() {
        let node = *node;
        let target = edges.get(node).and_then(|targets| targets.get(*next));
        *next += 1;
        match target {
            None => {
                done.insert(node);
                way.pop();
            }
            Some(target) if done.contains(target) => {}
            Some(target) => {
                if let Some(at) = way.iter().position(|(node, _)| *node == target) {
                    let nodes = way.iter().skip(at).map(|(node, _)| *node);
                    return Some(nodes.chain([target]).cloned().collect());
                }
                way.push((target, 0));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(edges: &[(u8, &[u8])]) -> Option<Vec<u8>> {
        cycle(
            &edges
                .iter()
                .map(|(node, to)| (*node, to.to_vec()))
                .collect(),
        )
    }

    #[test]
    fn circles_are_found_and_their_nodes_named() {
        assert_eq!(find(&[(1, &[2, 3]), (2, &[3]), (3, &[])]), None);
        assert_eq!(find(&[(1, &[1])]), Some(vec![1, 1]));
        assert_eq!(
            find(&[(1, &[2]), (2, &[4, 3]), (3, &[2])]),
            Some(vec![2, 3, 2])
        );
        let chain: Vec<(u8, Vec<u8>)> = (0..200).map(|n| (n, vec![n + 1])).collect();
        assert_eq!(cycle(&chain.into_iter().collect()), None);
    }
}
