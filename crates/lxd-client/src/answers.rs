//! Every type that a server's answer is read as.

/// Calls a macro with all of them. The test below holds this complete.
macro_rules! each_answer {
    ($call:ident) => {
        $call! {
            AclRule, Alias, Backup, Bucket, BucketKey, Certificate, Cluster, ClusterGroup, ClusterMember,
            ClusterMemberState, CpuResources, Environment, ForwardPort, Image, Instance, InstanceState, Lifecycle,
            LoadBalancerBackend, LoadBalancerPort, MemoryResources, Network, NetworkAcl, NetworkAddress,
            NetworkAllocation, NetworkForward, NetworkLease, NetworkLoadBalancer, NetworkPeer, NetworkState,
            NetworkZone, OperationState, PoolUsage, Profile, Project, ProjectState, ProjectUsage, Resources,
            Server, Snapshot, StoragePool, StoragePoolResources, Volume, VolumeBackup, VolumeSnapshot, VolumeState,
            Warning, ZoneEntry, ZoneRecord
        }
    };
}

pub(crate) use each_answer;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use crate::{nulls, *};

    /// An answer of each type, from real servers.
    fn samples() -> BTreeMap<String, Value> {
        serde_json::from_str(include_str!("samples.json")).unwrap()
    }

    /// Reads an answer as the type of that name.
    fn read(name: &str, answer: &Value) -> Result<(), String> {
        macro_rules! as_one_of {
            ($($answer:ident),+) => {
                match name {
                    $(stringify!($answer) => {
                        let text = nulls::read::<$answer>(&answer.to_string());
                        let parsed = nulls::read_value::<$answer>(answer.clone());
                        text.and(parsed).map(drop).map_err(|e| format!("{name}: {e} in {answer}"))
                    })+
                    _ => panic!("{name} is not in the list of answers"),
                }
            };
        }
        each_answer!(as_one_of)
    }

    /// An answer as it is written again after it was read as the type of that name.
    fn written(name: &str, answer: &Value) -> Value {
        fn again<T: DeserializeOwned + Serialize>(answer: &Value) -> Value {
            serde_json::to_value(nulls::read_value::<T>(answer.clone()).unwrap()).unwrap()
        }
        macro_rules! as_one_of {
            ($($answer:ident),+) => {
                match name {
                    $(stringify!($answer) => again::<$answer>(answer),)+
                    _ => panic!("{name} is not in the list of answers"),
                }
            };
        }
        each_answer!(as_one_of)
    }

    /// Fills in what the answer lacks and the type has, such as an empty list.
    fn complete(answer: &mut Value, written: &Value) {
        match (answer, written) {
            (Value::Object(answer), Value::Object(written)) => {
                for (key, written) in written {
                    match answer.get_mut(key) {
                        Some(value) => complete(value, written),
                        None => drop(answer.insert(key.clone(), written.clone())),
                    }
                }
            }
            (Value::Array(answer), Value::Array(written)) => {
                answer.iter_mut().zip(written).for_each(|(answer, written)| complete(answer, written));
            }
            (answer @ Value::Null, _) => *answer = written.clone(),
            _ => {}
        }
    }

    #[test]
    fn an_answer_is_written_again_as_it_was_read() {
        for (name, mut sample) in samples() {
            let written = written(&name, &sample);
            complete(&mut sample, &written);
            assert_eq!(written, sample, "{name}");
        }
    }

    /// What tells an answer from something that is not the API.
    const REQUIRED: [(&str, &str); 1] = [("Server", "auth")];

    /// Where all values of an answer are, other than what is required.
    fn places(name: &str, answer: &Value) -> Vec<String> {
        fn walk(value: &Value, place: &str, found: &mut Vec<String>) {
            let inside: Vec<(String, &Value)> = match value {
                Value::Object(map) => {
                    map.iter().map(|(key, value)| (key.replace('/', "~1"), value)).collect()
                }
                Value::Array(list) => list.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
                _ => Vec::new(),
            };
            for (key, value) in inside {
                let place = format!("{place}/{key}");
                walk(value, &place, found);
                found.push(place);
            }
        }
        let mut found = Vec::new();
        walk(answer, "", &mut found);
        found
            .retain(|place| !REQUIRED.iter().any(|(of, field)| *of == name && *place == format!("/{field}")));
        found
    }

    fn null(answer: &mut Value, place: &str) {
        if let Some(value) = answer.pointer_mut(place) {
            *value = Value::Null;
        }
    }

    fn remove(answer: &mut Value, place: &str) {
        let (above, key) = place.rsplit_once('/').unwrap();
        match answer.pointer_mut(above) {
            Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/"))),
            Some(Value::Array(list)) => list.clear(),
            _ => {}
        }
    }

    #[test]
    fn whatever_is_null_or_absent_in_an_answer_is_empty() {
        let mut random = fastrand::Rng::with_seed(13);
        for (name, sample) in samples() {
            read(&name, &sample).unwrap();
            let places = places(&name, &sample);
            for change in [null, remove] {
                for place in &places {
                    let mut answer = sample.clone();
                    change(&mut answer, place);
                    read(&name, &answer).unwrap();
                }
                let mut answer = sample.clone();
                places.iter().for_each(|place| change(&mut answer, place));
                read(&name, &answer).unwrap();
            }
            for _ in 0..200 {
                let mut answer = sample.clone();
                for place in &places {
                    match random.u8(0..4) {
                        0 => null(&mut answer, place),
                        1 => remove(&mut answer, place),
                        _ => {}
                    }
                }
                read(&name, &answer).unwrap();
            }
        }
    }

    #[test]
    fn what_is_required_is() {
        for (name, field) in REQUIRED {
            let mut answer = samples()[name].clone();
            remove(&mut answer, &format!("/{field}"));
            read(name, &answer).unwrap_err();
        }
    }

    /// The structs of this crate that a server's answer is read as, with the names of their fields in JSON.
    fn declared() -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if entry.path().extension().is_some_and(|e| e == "rs") {
                    read_source(&std::fs::read_to_string(entry.path()).unwrap(), &mut found);
                }
            }
        }
        // From a file of this machine.
        found.remove("Remote");
        found
    }

    fn read_source(source: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
        for block in source.split("\n#[derive(").skip(1) {
            let (derived, rest) = block.split_once(")]").unwrap();
            let Some((_, item)) = rest.split_once("\npub struct ") else { continue };
            // Of this derive, and not of something further down.
            if !derived.contains("Deserialize") || rest.split("\npub struct ").next().unwrap().contains("\n}")
            {
                continue;
            }
            let Some((name, body)) = item.split_once(" {\n") else { continue };
            let (mut fields, mut attributes) = (BTreeSet::new(), String::new());
            for line in body.split("\n}").next().unwrap().lines().map(str::trim) {
                if line.starts_with("#[") {
                    attributes += line;
                } else if let Some((field, _)) = line.strip_prefix("pub ").and_then(|l| l.split_once(':')) {
                    let name =
                        ["rename = \"", "alias = \""].iter().find_map(|of| attributes.split(of).nth(1));
                    let name = name.map_or(field, |name| name.split('"').next().unwrap());
                    if !attributes.contains("flatten") {
                        fields.insert(name.to_lowercase());
                    }
                    attributes.clear();
                }
            }
            found.insert(name.to_owned(), fields);
        }
    }

    #[test]
    fn every_type_and_each_of_its_fields_has_a_sample() {
        let (declared, samples) = (declared(), samples());
        let names = |of: Vec<&String>| of.into_iter().cloned().collect::<BTreeSet<String>>();
        assert_eq!(names(declared.keys().collect()), names(samples.keys().collect()));
        let mut missing = Vec::new();
        for (name, fields) in &declared {
            let sample = samples[name].as_object().unwrap();
            let sample: BTreeSet<String> = sample.keys().map(|key| key.to_lowercase()).collect();
            missing.extend(fields.difference(&sample).map(|field| format!("{name}: {field}")));
        }
        assert!(missing.is_empty(), "the samples lack {missing:?}");
    }
}
