//! One search for the patterns of all rules, and the first rule that holds.
//!
//! The patterns' longest pieces are a trie over words. A text is walked through from each of its words; most walks end at
//! once, because no piece begins there.

use super::Reply;
use super::codes::says_much;
use super::pattern::Pattern;
use super::rules::Rule;
use super::words::{Id, Token, Words};

/// A pattern by its rule and its place there.
#[derive(Clone, Copy, Debug)]
struct Place {
    rule: usize,
    pattern: usize,
}

/// A node of the trie; the first one is the root, and nobody's child.
#[derive(Debug, Default)]
struct Node {
    /// In the order of the words.
    children: Vec<(Id, usize)>,
    /// The patterns whose longest piece ends here, in the order of the rules.
    ends: Vec<Place>,
}

#[derive(Debug)]
pub struct Automaton {
    nodes: Vec<Node>,
    /// The root's children by their word; 0 for none.
    first: Vec<usize>,
    /// Rules that ask for codes only.
    wordless: Vec<usize>,
}

impl Automaton {
    /// Over the rules, which have so many different words.
    pub fn over(rules: &[Rule], words: usize) -> Self {
        let mut nodes = vec![Node::default()];
        for (rule, patterns) in rules.iter().map(|rule| &rule.any).enumerate() {
            for (pattern, literal) in patterns.iter().map(Pattern::literal).enumerate() {
                let end = literal.iter().fold(0, |node, id| child(&mut nodes, node, *id));
                nodes[end].ends.push(Place { rule, pattern });
            }
        }
        let mut first = vec![0; words];
        nodes[0].children.iter().for_each(|(id, node)| first[usize::from(*id)] = *node);
        let wordless = (0..rules.len()).filter(|rule| rules[*rule].any.is_empty()).collect();
        Self { nodes, first, wordless }
    }

    /// The first rule that holds.
    pub fn first<'r>(&self, rules: &'r [Rule], words: &Words, reply: &Reply<'_>, provider: Option<&str>) -> Option<&'r Rule> {
        let holds = |rule: &Rule| conditions(rule, reply, provider) && !rule.not.iter().any(|pattern| pattern.matches(words));
        let mut best = self.wordless.iter().copied().find(|rule| holds(&rules[*rule])).unwrap_or(usize::MAX);
        let tokens = words.tokens();
        for (at, token) in tokens.iter().enumerate() {
            for id in token.ids() {
                let node = self.first[usize::from(id)];
                if node != 0 {
                    self.walk(node, &tokens[at + 1..], &mut |place: Place| {
                        let rule = &rules[place.rule];
                        let pattern = &rule.any[place.pattern];
                        if place.rule < best && (pattern.is_one_piece() || pattern.matches(words)) && holds(rule) {
                            best = place.rule;
                        }
                    });
                }
            }
        }
        rules.get(best)
    }

    /// Goes from a node as far as the words lead. As deep as the longest pattern has words.
    fn walk(&self, node: usize, words: &[Token], each: &mut impl FnMut(Place)) {
        let node = &self.nodes[node];
        node.ends.iter().copied().for_each(&mut *each);
        let Some((token, rest)) = words.split_first().filter(|_| !node.children.is_empty()) else { return };
        for id in token.ids() {
            if let Ok(at) = node.children.binary_search_by_key(&id, |(id, _)| *id) {
                self.walk(node.children[at].1, rest, each);
            }
        }
    }
}

fn child(nodes: &mut Vec<Node>, parent: usize, id: Id) -> usize {
    match nodes[parent].children.binary_search_by_key(&id, |(id, _)| *id) {
        Ok(at) => nodes[parent].children[at].1,
        Err(at) => {
            let new = nodes.len();
            nodes[parent].children.insert(at, (id, new));
            nodes.push(Node::default());
            new
        }
    }
}

fn conditions(rule: &Rule, reply: &Reply<'_>, provider: Option<&str>) -> bool {
    (rule.codes.is_empty() || rule.codes.iter().any(|code| code.holds(reply.reply_code, reply.dsn)))
        && rule.said.is_none_or(|said| said == reply.said)
        && (!rule.relay || rule.provider == provider)
        && !(rule.weak && reply.dsn.is_some_and(says_much))
}
