//! What a client asks for when it opens a session.

use std::collections::BTreeMap;

use lxd_client::Exec;

use super::session::Kind;
use crate::actions::instances::{SHELLS, login_shell};
use crate::api::problem::Problem;

/// What a client asks for.
#[derive(Debug)]
pub(in crate::api) struct Wanted {
    pub(super) kind: Kind,
    /// Without one it is a shell.
    command: Vec<String>,
    cwd: Option<String>,
    user: Option<u32>,
    group: Option<u32>,
    env: BTreeMap<String, String>,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) terminal: bool,
    /// Somebody else's console is taken.
    pub(super) take: bool,
    /// The session to come back to.
    pub(super) session: Option<String>,
    /// How many bytes of it the client has seen.
    pub(super) after: u64,
}

impl Wanted {
    /// Reads a query.
    pub(in crate::api) fn new(kind: Kind, query: Vec<(String, String)>) -> Result<Wanted, Problem> {
        let mut wanted = Wanted {
            kind,
            command: Vec::new(),
            cwd: None,
            user: None,
            group: None,
            env: BTreeMap::new(),
            width: 80,
            height: 24,
            terminal: true,
            take: false,
            session: None,
            after: 0,
        };
        for (name, value) in query {
            match (kind, name.as_str()) {
                (_, "width") => wanted.width = read(&name, &value)?,
                (_, "height") => wanted.height = read(&name, &value)?,
                (_, "session") => wanted.session = Some(value),
                (_, "after") => wanted.after = read(&name, &value)?,
                (Kind::Console, "take") => wanted.take = read(&name, &value)?,
                (Kind::Exec, "command") => wanted.command.push(value),
                (Kind::Exec, "cwd") => wanted.cwd = Some(value),
                (Kind::Exec, "user") => wanted.user = Some(read(&name, &value)?),
                (Kind::Exec, "group") => wanted.group = Some(read(&name, &value)?),
                (Kind::Exec, "terminal") => wanted.terminal = read(&name, &value)?,
                (Kind::Exec, "env") => {
                    // The value may be a secret: it is not told.
                    let pair = value.split_once('=').filter(|(name, _)| !name.is_empty());
                    let (name, value) = pair.ok_or_else(|| Problem::invalid("env is to be NAME=VALUE"))?;
                    wanted.env.insert(name.to_owned(), value.to_owned());
                }
                _ => return Err(Problem::invalid(format!("{name} is not known here"))),
            }
        }
        // One JSON array, for what has many parts.
        if let [text] = &wanted.command[..]
            && let Ok(command) = serde_json::from_str::<Vec<String>>(text)
        {
            wanted.command = command;
        }
        Ok(wanted)
    }

    /// What the audit has of it: the command, without its environment.
    pub(super) fn detail(&self) -> String {
        match self.kind {
            Kind::Console => String::new(),
            Kind::Exec if self.command.is_empty() => "a shell".to_owned(),
            Kind::Exec => serde_json::to_string(&self.command).unwrap_or_default(),
        }
    }

    /// The commands to try, the one first that was found to be there before. A shell has a number.
    pub(super) fn commands(&self, known: usize) -> Vec<(Option<usize>, Vec<String>)> {
        if self.kind == Kind::Console || !self.command.is_empty() {
            return vec![(None, self.command.clone())];
        }
        let is_plain =
            self.cwd.is_none() && self.user.is_none() && self.group.is_none() && self.env.is_empty();
        let others = SHELLS.iter().map(|shell| shell.iter().map(ToString::to_string).collect());
        let mut all: Vec<_> = std::iter::once(login_shell(is_plain)).chain(others).enumerate().collect();
        all.sort_by_key(|(number, _)| *number != known);
        all.into_iter().map(|(number, shell)| (Some(number), shell)).collect()
    }

    /// The command in its setting.
    pub(super) fn apply(&self, mut exec: Exec) -> Exec {
        if self.terminal {
            exec = exec.env("TERM", "xterm-256color").terminal(self.width, self.height);
        }
        for (name, value) in &self.env {
            exec = exec.env(name, value);
        }
        if let Some(cwd) = &self.cwd {
            exec = exec.current_dir(cwd);
        }
        exec.user(self.user.unwrap_or_default(), self.group.unwrap_or_default())
    }
}

fn read<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|_| Problem::invalid(format!("{name} cannot be {value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(kind: Kind, query: &[(&str, &str)]) -> Result<Wanted, Problem> {
        Wanted::new(
            kind,
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    fn detail(commands: &[&str]) -> String {
        let query: Vec<_> = commands.iter().map(|command| ("command", *command)).collect();
        wanted(Kind::Exec, &query).unwrap().detail()
    }

    #[test]
    fn a_command_is_repeated_words_or_one_array() {
        assert_eq!(detail(&["ls", "-l", "a b"]), r#"["ls","-l","a b"]"#);
        assert_eq!(detail(&[r#"["ls","-l","a b"]"#]), r#"["ls","-l","a b"]"#);
        assert_eq!(detail(&["[", "-e", "x", "]"]), r#"["[","-e","x","]"]"#);
        assert_eq!(detail(&["["]), r#"["["]"#);
        assert_eq!(detail(&[]), "a shell");
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_its_secrets() {
        for query in
            [("width", "-1"), ("user", "root"), ("terminal", "yes"), ("take", "true"), ("comand", "ls")]
        {
            let told = wanted(Kind::Exec, &[query]).unwrap_err();
            assert!(told.detail().contains(query.0), "{}", told.detail());
        }
        assert!(wanted(Kind::Console, &[("command", "ls")]).is_err());
        assert!(wanted(Kind::Console, &[("take", "true")]).unwrap().take);
        let told = wanted(Kind::Exec, &[("env", "hush")]).unwrap_err();
        assert!(!told.detail().contains("hush"));
    }

    #[test]
    fn the_shell_that_was_found_comes_first_and_no_other_is_left_out() {
        let shell = wanted(Kind::Exec, &[]).unwrap();
        let numbers =
            |known| shell.commands(known).iter().map(|(number, _)| number.unwrap()).collect::<Vec<_>>();
        assert_eq!((numbers(0), numbers(2)), (vec![0, 1, 2, 3], vec![2, 0, 1, 3]));
        let plain = &shell.commands(0)[0].1[2];
        let set = wanted(Kind::Exec, &[("user", "7")]).unwrap().commands(0)[0].1[2].clone();
        assert!(plain.contains("su -l") && !set.contains("su -l"), "{plain} {set}");
        let command = wanted(Kind::Exec, &[("command", "ls")]).unwrap();
        assert_eq!(command.commands(2), [(None, vec!["ls".to_owned()])]);
    }
}
