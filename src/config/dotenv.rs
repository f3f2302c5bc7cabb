//! `.env` files, read as docker compose reads them, since they are often the `.env` of a compose project: quotes, comments,
//! `NAME: value`, `export`, `${NAME:-default}` and its kin. A line that compose would refuse is a fault of that line alone.

/// A variable of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A line that cannot be read. Nothing of its value is in it, which may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The variable, as far as it can be told.
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) reason: &'static str,
}

/// Reads a text. Where a variable is used in another's value, `outer` is asked before the lines above.
pub(super) fn parse(text: &str, outer: impl Fn(&str) -> Option<String>) -> (Vec<Entry>, Vec<Fault>) {
    let mut parser = Parser { rest: text, line: 1 };
    let mut entries: Vec<Entry> = Vec::new();
    let mut faults = Vec::new();
    // The last value of several lines: where it begins, its line, and where it ends.
    let mut long: Option<(&str, usize, &str)> = None;
    while parser.find_statement() {
        let (at, line) = (parser.rest, parser.line);
        let known = |name: &str| {
            let above = || entries.iter().rev().find(|entry| entry.name == name).map(|e| e.value.clone());
            outer(name).or_else(above)
        };
        match parser.statement(&known) {
            Ok(Some((name, value))) => {
                long = value.contains('\n').then_some((at, line, parser.rest));
                entries.push(Entry { name, value, line });
            }
            Ok(None) => {}
            Err(reason) => {
                let behind = |end: &str| !end[..end.len() - at.len()].contains('\n');
                let (from, line, reason) = match long.take() {
                    // Rubbish behind a quote that was closed in a later line: it was never meant to be open.
                    Some((begin, line, end)) if behind(end) => {
                        entries.pop();
                        (begin, line, OPEN_QUOTE)
                    }
                    _ => (at, line, reason),
                };
                faults.push(Fault { name: name_of(from), line, reason });
                (parser.rest, parser.line) = (from, line);
                parser.skip_line();
            }
        }
    }
    (entries, faults)
}

const NO_NAME: &str = "it is not NAME=value";
const OPEN_QUOTE: &str = "a quote in it is not closed";
const BAD_DOLLAR: &str = "a $ in it begins no ${NAME}: write $$ for a $";
const MISSING: &str = "a variable that it needs is not set";

type Read<T> = Result<T, &'static str>;

/// The name with which a line begins, for errors.
fn name_of(line: &str) -> String {
    let line = without_export(line);
    line.chars().take_while(|c| is_name(*c)).collect()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']')
}

/// White space that ends no line.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{a0}')
}

fn without_export(text: &str) -> &str {
    match text.strip_prefix("export") {
        Some(rest) if rest.starts_with(is_space) => rest.trim_start_matches(is_space),
        _ => text,
    }
}

struct Parser<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Parser<'a> {
    /// Goes to the next line that says something, or to what stands behind a closed quote.
    fn find_statement(&mut self) -> bool {
        loop {
            let after = self.rest.trim_start();
            self.advance(self.rest.len() - after.len());
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            self.skip_line();
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    fn skip_line(&mut self) {
        self.advance(self.rest.find('\n').map_or(self.rest.len(), |end| end + 1));
    }

    /// The rest of the line, which is passed.
    fn take_line(&mut self) -> &'a str {
        let line = self.rest.split('\n').next().unwrap_or_default();
        self.skip_line();
        line
    }

    /// A name alone, which stands for the value outside the file, is nothing.
    fn statement(&mut self, known: &dyn Fn(&str) -> Option<String>) -> Read<Option<(String, String)>> {
        let begin = without_export(self.rest);
        let end = begin.find(|c| !is_name(c) && !is_space(c)).unwrap_or(begin.len());
        let name = begin[..end].trim_end_matches(is_space);
        if name.is_empty() || name.contains(is_space) {
            return Err(NO_NAME);
        }
        self.advance(self.rest.len() - begin.len() + end);
        match self.rest.chars().next() {
            None | Some('\n') => return Ok(None),
            Some('=' | ':') => self.advance(1),
            Some(_) => return Err(NO_NAME),
        }
        self.rest = self.rest.trim_start_matches(is_space);
        let value = match self.rest.chars().next() {
            Some('"') => expand(&unescaped(&self.quoted('"')?), known)?,
            Some('\'') => self.quoted('\'')?,
            _ => {
                let line = self.take_line();
                let value = line.split(" #").next().unwrap_or_default().trim_end();
                expand(value, known)?
            }
        };
        Ok(Some((name.to_owned(), value)))
    }

    /// Reads a value in quotes, which may span several lines. Only the quote itself is unescaped.
    fn quoted(&mut self, quote: char) -> Read<String> {
        let mut text = String::new();
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match (c, escaped) {
                ('\\', false) => {
                    escaped = true;
                    continue;
                }
                (c, false) if c == quote => {
                    self.advance(at + 1);
                    return Ok(text);
                }
                (c, true) if c != quote => text.push('\\'),
                _ => {}
            }
            escaped = false;
            text.push(c);
        }
        Err(OPEN_QUOTE)
    }
}

/// The shell's escapes. `\$` becomes `$$`, which is a dollar once variables are put in.
fn unescaped(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        result.push_str(before);
        let Some(c) = after.chars().next() else {
            result.push('\\');
            return result;
        };
        rest = &after[c.len_utf8()..];
        match c {
            'a' => result.push('\u{7}'),
            'b' => result.push('\u{8}'),
            'f' => result.push('\u{c}'),
            'n' => result.push('\n'),
            'r' => result.push('\r'),
            't' => result.push('\t'),
            'v' => result.push('\u{b}'),
            '"' | '\\' => result.push(c),
            '$' => result.push_str("$$"),
            '0' if rest.len() >= 3 && rest.bytes().take(3).all(|b| (b'0'..=b'7').contains(&b)) => {
                let code = u32::from_str_radix(&rest[..3], 8).unwrap_or_default();
                result.extend(char::from_u32(code));
                rest = &rest[3..];
            }
            _ => result.extend(['\\', c]),
        }
    }
    result + rest
}

/// Puts the values of variables in: `$NAME`, `${NAME}` and the forms with `-`, `+` and `?`; `$$` is a dollar.
fn expand(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Read<String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some(inside) = after.strip_prefix('{') {
            let end = closing_brace(inside).ok_or(BAD_DOLLAR)?;
            result += &braced(&inside[..end], known)?;
            rest = &inside[end + 1..];
        } else {
            let (name, after) = variable(after);
            // A dollar that begins no name stays, as compose has it.
            result += &if name.is_empty() { "$".to_owned() } else { known(name).unwrap_or_default() };
            rest = after;
        }
    }
    Ok(result + rest)
}

/// The name with which a text begins, and the rest.
fn variable(text: &str) -> (&str, &str) {
    let letter = |c: char| c == '_' || c.is_ascii_alphabetic();
    let end = text.find(|c: char| !letter(c) && !c.is_ascii_digit()).unwrap_or(text.len());
    if text.starts_with(letter) { text.split_at(end) } else { ("", text) }
}

/// Where the brace closes that was opened before the text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' if text[..at].ends_with('$') => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// The value of `${inside}`.
fn braced(inside: &str, known: &dyn Fn(&str) -> Option<String>) -> Read<String> {
    let (name, form) = variable(inside);
    if name.is_empty() {
        return Err(BAD_DOLLAR);
    }
    let value = known(name);
    // With a colon, an empty value counts as none.
    let (set, form) = match form.strip_prefix(':') {
        Some(form) => (value.clone().filter(|value| !value.is_empty()), form),
        None => (value.clone(), form),
    };
    let with = |sign| form.strip_prefix(sign);
    match (with('-'), with('+'), with('?')) {
        (Some(default), ..) => set.map_or_else(|| expand(default, known), Ok),
        (_, Some(other), _) => set.map_or_else(|| Ok(String::new()), |_| expand(other, known)),
        (.., Some(_)) => set.ok_or(MISSING),
        _ if inside.len() == name.len() => Ok(value.unwrap_or_default()),
        _ => Err(BAD_DOLLAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Entry>, Vec<Fault>) {
        parse(text, |name| match name {
            "OUTER" => Some("o".to_owned()),
            "NONE" => Some(String::new()),
            _ => None,
        })
    }

    /// What compose-go 2.16.2 reads, with OUTER=o and NONE= outside.
    const ALIKE: [(&str, &[(&str, &str)]); 61] = [
        ("A=b", &[("A", "b")]),
        ("A = b c  ", &[("A", "b c")]),
        ("A=My little shop # c", &[("A", "My little shop")]),
        ("A=b#c", &[("A", "b#c")]),
        ("A='b # c' # d", &[("A", "b # c")]),
        ("A=\"b # c\" # d", &[("A", "b # c")]),
        ("A: b", &[("A", "b")]),
        ("A:b", &[("A", "b")]),
        ("export A=b", &[("A", "b")]),
        ("export  A='x'", &[("A", "x")]),
        ("export\tA=b", &[("A", "b")]),
        ("exported=1", &[("exported", "1")]),
        ("A=${X:-latest}", &[("A", "latest")]),
        ("A=${A:-latest}", &[("A", "latest")]),
        ("A=$OUTER/${OUTER}", &[("A", "o/o")]),
        ("A=$$x", &[("A", "$x")]),
        ("A='$$x ${OUTER}'", &[("A", "$$x ${OUTER}")]),
        ("A=\"$$x ${OUTER} \\$y\"", &[("A", "$x o $y")]),
        ("A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")]),
        ("A=\nB=2", &[("A", ""), ("B", "2")]),
        ("A\nB=2", &[("B", "2")]),
        ("A=a\\nb", &[("A", "a\\nb")]),
        ("A=\"a\\nb\\tc\\\\d\\\"e\\q\"", &[("A", "a\nb\tc\\d\"e\\q")]),
        ("A='a\\nb\\'c'", &[("A", "a\\nb'c")]),
        ("A=\"x\ny\"\nB=2", &[("A", "x\ny"), ("B", "2")]),
        ("A='x\ny'", &[("A", "x\ny")]),
        ("A=\"x\" B=y", &[("A", "x"), ("B", "y")]),
        ("A=\"x\"y\nB=2", &[("A", "x"), ("B", "2")]),
        ("A=${X-d}", &[("A", "d")]),
        ("A=${NONE-d}|${NONE:-d}", &[("A", "|d")]),
        ("A=${OUTER:+x}|${OUTER+x}|${NONE:+x}|${NONE+x}|${X+x}", &[("A", "x|x||x|")]),
        ("A=${OUTER:?no}", &[("A", "o")]),
        ("A=${NONE?no}", &[("A", "")]),
        ("A=${X:-${OUTER}}", &[("A", "o")]),
        ("A=${X:-a${Y:-b}c}d", &[("A", "abcd")]),
        ("A=${X:-}", &[("A", "")]),
        ("A=${X:-a}b}c", &[("A", "ab}c")]),
        ("A=${X:-{}}", &[("A", "{}")]),
        ("A=$5", &[("A", "$5")]),
        ("A=a$", &[("A", "a$")]),
        ("A=b\nC=$A", &[("A", "b"), ("C", "b")]),
        ("OUTER=in\nA=$OUTER", &[("OUTER", "in"), ("A", "o")]),
        ("A=$OUTERx", &[("A", "")]),
        ("A=${OUTER}x", &[("A", "ox")]),
        ("A=\"${X:-\\\"q\\\"}\"", &[("A", "\"q\"")]),
        ("A.b-c[0]=x", &[("A.b-c[0]", "x")]),
        ("A==x", &[("A", "=x")]),
        ("A= # c", &[("A", "# c")]),
        ("A=#c", &[("A", "#c")]),
        ("A=x\t# c", &[("A", "x\t# c")]),
        ("A=\"\"", &[("A", "")]),
        ("A = 'b'", &[("A", "b")]),
        ("  A=b", &[("A", "b")]),
        ("# c\n\n  # d\nA=b", &[("A", "b")]),
        ("é=ü", &[("é", "ü")]),
        ("A=\"\\0101\"", &[("A", "A")]),
        ("A=b 'c' \"d\"", &[("A", "b 'c' \"d\"")]),
        ("A=\"a\\\nb\"", &[("A", "a\\\nb")]),
        ("A=b\\", &[("A", "b\\")]),
        ("A=tskey?ephemeral=false", &[("A", "tskey?ephemeral=false")]),
        ("A= \nB=c", &[("A", ""), ("B", "c")]),
    ];

    #[test]
    fn what_docker_compose_reads_is_read_alike() {
        for (text, expected) in ALIKE {
            let (entries, faults) = read(text);
            let read: Vec<(&str, &str)> = entries.iter().map(|e| (&*e.name, &*e.value)).collect();
            assert_eq!((read.as_slice(), faults.len()), (expected, 0), "{text:?}: {faults:?}");
        }
    }

    #[test]
    fn what_docker_compose_refuses_is_the_fault_of_that_line_alone() {
        for (line, name, reason) in [
            ("A B=c", "A", NO_NAME),
            ("A/B=1", "A", NO_NAME),
            ("=x", "", NO_NAME),
            ("tskey-auth-hush hush", "tskey-auth-hush", NO_NAME),
            ("A=\"x", "A", OPEN_QUOTE),
            ("export A='x", "A", OPEN_QUOTE),
            ("A=${X:?no}", "A", MISSING),
            ("A=${X?no}", "A", MISSING),
            ("A=${5}", "A", BAD_DOLLAR),
            ("A=${X", "A", BAD_DOLLAR),
            ("A=${X:=d}", "A", BAD_DOLLAR),
        ] {
            let (entries, faults) = read(&format!("# c\n\nB='1\n2'\n{line}\nC=3\n"));
            let expected = Fault { name: name.to_owned(), line: 5, reason };
            assert_eq!(faults, [expected], "{line}");
            let lines: Vec<(&str, usize)> = entries.iter().map(|e| (&*e.name, e.line)).collect();
            assert_eq!(lines, [("B", 3), ("C", 6)], "{line}");
        }
    }

    #[test]
    fn a_quote_that_was_never_closed_takes_no_other_line_with_it() {
        let (entries, faults) = read("A=1\nTITLE=\"My shop\n\nTS_AUTHKEY=\"tskey-auth-k\"\nB=2\n");
        assert_eq!(faults, [Fault { name: "TITLE".to_owned(), line: 2, reason: OPEN_QUOTE }]);
        let read: Vec<(&str, &str, usize)> = entries.iter().map(|e| (&*e.name, &*e.value, e.line)).collect();
        assert_eq!(read, [("A", "1", 1), ("TS_AUTHKEY", "tskey-auth-k", 4), ("B", "2", 5)]);
    }
}
