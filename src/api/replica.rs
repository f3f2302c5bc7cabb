//! Which replica something belongs to. Nodes behind one Tailscale Service answer alike for what is the clouds' own, such as
//! operations; what one of them does or keeps itself, such as a job or a session, has that node's name in its number, so
//! that each of the others can say whom to ask.

use super::problem::{Code, Problem};

/// Between a node's name and the rest. No MagicDNS label has it.
const MARK: char = '.';

/// A number that belongs to the node of that name. Before the node has joined it has none.
pub(in crate::api) fn number_of(node: &str, number: &str) -> String {
    if node.is_empty() { number.to_owned() } else { format!("{node}{MARK}{number}") }
}

/// What a number means that is not known at the node of that name: another one's, where it names one.
pub(in crate::api) fn unknown(node: &str, what: &str, number: &str, own: Problem) -> Problem {
    match number.split_once(MARK) {
        Some((other, _)) if is_label(other) && other != node => elsewhere(what, other),
        _ => own,
    }
}

fn elsewhere(what: &str, other: &str) -> Problem {
    Problem::new(Code::OtherNode, format!("{what} belongs to the node {other}")).of_node(other).remedy(
        format!("ask {other} by its own name, and not by that of a service; if it has ended, this is lost"),
    )
}

/// Whether it may be the name of a node: what is told back is not just any text.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_its_node_to_the_others_alone() {
        let number = number_of("node-1", "00ff");
        assert_eq!((number.as_str(), number_of("", "00ff").as_str()), ("node-1.00ff", "00ff"));
        let code = |node: &str, number: &str| unknown(node, "it", number, Problem::not_found("no")).code();
        assert_eq!(code("node-2", &number), Code::OtherNode);
        for (node, number) in
            [("node-1", &*number), ("node-2", "00ff"), ("node-2", ".00ff"), ("n", "<b>.0"), ("n", "")]
        {
            assert_eq!(code(node, number), Code::NotFound, "{node} {number}");
        }
    }
}
