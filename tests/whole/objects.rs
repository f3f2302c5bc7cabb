//! The verbs for what else a server has, beside `lxc` with the same arguments, each on a twin, on the LXD of `LXD_DIR`.

use serde_json::Value;

use crate::clouds::with_real;
use crate::real_lxd::lxd_dir;
use crate::twins::*;

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn profiles_and_projects_change_as_lxc_changes_them() {
    let _alone = alone();
    let _cleaned = Cleaned(&[
        "delete --force @i",
        "profile delete @p",
        "profile delete @q",
        "profile delete @r",
        "project delete @j",
        "project delete @k",
    ]);
    let (world, service) = with_instances("i");
    let shows = ["profile show %p", "profile show %q", "profile show %r", "config show %i"];
    beside_lxc(
        &world,
        &shows,
        &[
            own("profile create @p"),
            own("profile create @p"),
            own("profile set @p limits.cpu=2 user.x=a=b"),
            own("profile set @p user.z hello"),
            own("profile set @p nonsense=1"),
            own("profile set @p nothing"),
            fed("profile set @p user.long -", "from\nhere\n"),
            same("profile get @p limits.cpu"),
            same("profile get @p user.long"),
            same("profile get @p user.none"),
            own("profile unset @p user.z"),
            yaml("profile show @p"),
            own("profile device add @p root disk pool=default path=/"),
            own("profile device add @p root disk pool=default path=/"),
            own("profile device set @p root size=1GiB"),
            own("profile device set @p none size=1GiB"),
            same("profile device get @p root size"),
            own("profile device get @p none size"),
            same("profile device list @p"),
            yaml("profile device show @p"),
            own("profile device unset @p root size"),
            fed(
                "profile edit @p",
                "description: by YAML\nconfig:\n  limits.cpu: 3\n  boot.autostart: true\ndevices: {}\n",
            ),
            fed("profile edit @p", "description: [\n"),
            own("profile device remove @p none"),
            own("profile copy @p @q"),
            own("profile copy @p @q"),
            rows("profile list"),
            own("profile assign @i default,%p"),
            own("profile add @i %q"),
            own("profile remove @i %p"),
            own("profile remove @i %p"),
            own("profile assign @i default"),
            own("profile rename @q %r"),
            own("profile delete @r"),
            own("profile delete @r"),
            own("profile show @r"),
        ],
    );
    beside_lxc(
        &world,
        &["project show %j", "project show %k"],
        &[
            own("project create @j -c features.images=false -c features.profiles=false"),
            own("project create @j"),
            same("project get @j features.images"),
            own("project set @j limits.containers=2 user.x=y"),
            own("project set @j features.images=maybe"),
            own("project unset @j user.x"),
            yaml("project show @j"),
            rows("project list"),
            fed(
                "project edit @j",
                "description: by YAML\nconfig:\n  features.images: \"false\"\n  features.profiles: \"false\"\n",
            ),
            own("project rename @j %k"),
            own("project delete @k"),
            own("project delete @k"),
        ],
    );
    // What is given as words stands beside what is given as YAML, also where that has no settings.
    for (yaml, code) in [("description: x\nconfig:\n", Some(0)), ("config: 7\n", Some(2))] {
        let create = ["lxd", "profile", "create", "@q", "user.a=b"].map(|word| OURS.words(word).remove(0));
        let made = feed(world.program(), &create, yaml);
        assert_eq!(made.code, code, "{}", made.stderr);
        if code == Some(0) {
            let shown = world.json(&["lxd", "profile", "show", &create[3]]);
            assert_eq!((&shown["description"], &shown["config"]["user.a"]), (&"x".into(), &"b".into()));
            world.good(&["lxd", "profile", "delete", &create[3]]);
        }
    }
    let usage = world.json(&["lxd", "project", "info", "real:default"]);
    assert_eq!(usage["cpu"]["Limit"], -1, "{usage}");
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn networks_change_as_lxc_changes_them() {
    let _alone = alone();
    let _cleaned = Cleaned(&[
        "delete --force @h",
        "profile delete @o",
        "network delete @n",
        "network delete @m",
        "network acl delete @w",
        "network acl delete @x",
        "network zone record delete @z.example.net %w",
        "network zone delete @z.example.net",
    ]);
    let (world, service) = with_instances("h");
    beside_lxc(
        &world,
        &["network show %n", "network show %m", "config show %h", "profile show %o"],
        &[
            own("network create @n ipv4.address=none ipv6.address=none --type bridge"),
            own("network create @n"),
            own("network set @n bridge.mtu=1400 user.x=y"),
            own("network set @n ipv4.address=nonsense"),
            same("network get @n bridge.mtu"),
            own("network unset @n user.x"),
            yaml("network show @n"),
            rows("network list"),
            fed(
                "network edit @n",
                "description: by YAML\nconfig:\n  ipv4.address: none\n  ipv6.address: none\n",
            ),
            own("network attach @n %h eth5 eth9"),
            own("network attach @n %h eth5"),
            own("network attach @n %h"),
            own("network detach @n %h"),
            own("network detach @n %h eth5"),
            own("network detach @n %h eth5"),
            own("profile create @o"),
            own("profile device add @o nic1 nic network=%n"),
            own("network detach-profile @n %o nic2"),
            own("network detach-profile @n %o"),
            own("network detach @n %h"),
            own("network rename @n %m"),
            own("network info @m"),
            own("network delete @m"),
            own("network delete @m"),
        ],
    );
    // LXD's own client writes a profile's interface in the old way, which is for bridges only.
    let attached = ["create ipv4.address=none ipv6.address=none", "attach-profile"];
    for verb in attached {
        let (verb, more) = verb.split_once(' ').unwrap_or((verb, "%o"));
        let words = OURS.words(&format!("network {verb} @n {more}"));
        let words: Vec<&str> = std::iter::once("lxd").chain(words.iter().map(String::as_str)).collect();
        world.good(&words);
    }
    let device = stock(&OURS.words("profile device get %o %n network"), "");
    assert_eq!(OURS.alike(&device.stdout), "TWINn\n", "{}", device.stderr);
    for verb in ["profile delete %o", "network delete %n"] {
        assert_eq!(stock(&OURS.words(verb), "").code, Some(0), "{verb}");
    }
    beside_lxc(
        &world,
        &["network show %n", "network forward show %n $.77"],
        &[
            own("network create @n ipv4.address=$.1/24 ipv6.address=none ipv4.nat=false"),
            rows("network list-leases @n"),
            own("network forward create @n $.77 target_address=$.5"),
            own("network forward port add @n $.77 tcp 80,443 $.6"),
            own("network forward port add @n $.77 udp 53 $.6 5353"),
            own("network forward port add @n $.77 udp 53 $.6 5353"),
            rows("network forward list @n"),
            own("network forward port remove @n $.77 icmp"),
            own("network forward set @n $.77 user.x=y"),
            same("network forward get @n $.77 target_address"),
            own("network forward unset @n $.77 user.x"),
            yaml("network forward show @n $.77"),
            own("network forward port remove @n $.77 udp 53"),
            own("network forward port remove @n $.77"),
            fed(
                "network forward edit @n $.77",
                "description: by YAML\nconfig: {}\nports:\n- {protocol: tcp, listen_port: \"22\", target_address: $.9}\n",
            ),
            own("network forward port remove @n $.77 --force"),
            own("network forward delete @n $.77"),
            own("network forward delete @n $.77"),
            own("network peer create @n peer %m"),
            own("network delete @n"),
        ],
    );
    beside_lxc(
        &world,
        &["network acl show %w", "network acl show %x"],
        &[
            own("network acl create @w user.x=y"),
            own(
                "network acl rule add @w ingress action=allow source=192.0.2.0/24 protocol=tcp destination_port=80",
            ),
            own("network acl rule add @w ingress action=drop protocol=tcp state=logged"),
            own("network acl rule add @w egress action=reject"),
            own("network acl rule add @w ingress action=nonsense"),
            own("network acl rule add @w ingress nonsense=allow"),
            own("network acl rule add @w sideways action=allow"),
            own("network acl rule remove @w ingress protocol=tcp"),
            own("network acl rule remove @w ingress protocol=udp"),
            own("network acl rule remove @w ingress protocol=tcp --force"),
            own("network acl set @w user.y=z"),
            same("network acl get @w user.y"),
            own("network acl unset @w user.y"),
            yaml("network acl show @w"),
            rows("network acl list"),
            fed("network acl edit @w", "description: by YAML\nconfig: {}\negress: []\ningress: []\n"),
            own("network acl rename @w %x"),
            own("network acl show-log @x"),
            own("network acl delete @x"),
        ],
    );
    beside_lxc(
        &world,
        &["network zone show %z.example.net", "network zone record show %z.example.net %w"],
        &[
            own("network zone create @z.example.net user.x=y"),
            own("network zone set @z.example.net dns.nameservers=ns.example.net"),
            same("network zone get @z.example.net dns.nameservers"),
            rows("network zone list"),
            own("network zone record create @z.example.net %w user.x=y"),
            own("network zone record entry add @z.example.net %w A 192.0.2.7 --ttl 60"),
            own("network zone record entry add @z.example.net %w TXT hello"),
            own("network zone record entry remove @z.example.net %w TXT nothing"),
            yaml("network zone record show @z.example.net %w"),
            own("network zone record entry remove @z.example.net %w TXT hello"),
            own("network zone record unset @z.example.net %w user.x"),
            fed("network zone record edit @z.example.net %w", "description: by YAML\n"),
            fed("network zone edit @z.example.net", "description: by YAML\nconfig: {}\n"),
            own("network zone record delete @z.example.net %w"),
            own("network zone delete @z.example.net"),
        ],
    );
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn storage_changes_as_lxc_changes_it() {
    let _alone = alone();
    let _cleaned = Cleaned(&[
        "delete --force @g",
        "storage volume delete @s data",
        "storage volume delete @s copy",
        "storage volume delete @s moved",
        "storage volume delete @s old",
        "storage volume delete @s back",
        "storage delete @s",
    ]);
    let (world, service) = with_instances("g");
    let shows = [
        "storage show %s",
        "storage volume show %s data",
        "storage volume show %s data/first",
        "storage volume show %s copy",
        "storage volume show %s moved",
        "storage volume show %s old",
        "storage volume show %s back",
        "config show %g",
    ];
    let file = [OURS, STOCK].map(|twin| world.path(&twin.prefix()));
    beside_lxc(
        &world,
        &shows[..],
        &[
            own("storage create @s dir user.x=y"),
            own("storage create @s dir"),
            own("storage create @t nonsense"),
            own("storage set @s rsync.bwlimit 10"),
            same("storage get @s rsync.bwlimit"),
            own("storage unset @s rsync.bwlimit"),
            own("storage info @s"),
            own("storage volume create @s data user.x=y"),
            own("storage volume create @s data"),
            own("storage volume set @s data user.y=z"),
            same("storage volume get @s data user.y"),
            own("storage volume unset @s data user.y"),
            own("storage volume snapshot @s data first"),
            own("storage volume snapshot @s data first"),
            own("storage volume snapshot @s data first --reuse"),
            own("storage volume snapshot @s data"),
            own("storage volume snapshot @s data kept --no-expiry"),
            own("storage volume restore @s data first"),
            own("storage volume restore @s data none"),
            own("storage volume rename @s data/snap0 data/second"),
            own("storage volume delete @s data/second"),
            own("storage volume copy @s/data @s/copy"),
            own("storage volume copy @s/data @s/copy"),
            own("storage volume copy @s/data/first @s/old"),
            own("storage volume move @s/copy @s/moved"),
            own("storage volume attach @s data %g disk5 /mnt"),
            own("storage volume attach @s data %g disk5 /mnt"),
            own("storage volume detach @s data %g"),
            own("storage volume attach @s data %g /mnt"),
            own("storage volume detach @s data %g disk5"),
            own("storage volume detach @s data %g data"),
            fed("storage volume edit @s data", "description: by YAML\nconfig: {}\n"),
            own("storage volume export @s data ^ --compression none"),
            own("storage volume import @s ^ back"),
            own("storage volume delete @s back"),
            own("storage delete @s"),
            own("storage volume rename @s moved copy"),
            own("storage volume delete @s copy"),
            own("storage volume delete @s old"),
            own("storage volume delete @s data"),
            own("storage volume delete @s data"),
            own("storage delete @s"),
        ]
        .map(|Step(verb, input, printing)| match verb.contains('^') {
            true => Step(at(verb, &file), input, printing),
            false => Step(verb, input, printing),
        }),
    );
    let volumes = world.json(&["lxd", "storage", "volume", "list", "real:default", "container/c1"]);
    assert_eq!((&volumes[0]["name"], &volumes[0]["pool"]), (&"c1".into(), &"default".into()), "{volumes}");
    let info = world.good(&["lxd", "storage", "volume", "info", "real:default", "container/c1"]);
    assert!(info.starts_with("Name: c1\nType: container\n"), "{info}");
    let missing = world.run(&["lxd", "storage", "bucket", "list", "real:default"]);
    assert_ne!(missing.code, Some(0));
    assert!(missing.stderr.contains("does not have the API extension storage_buckets"), "{}", missing.stderr);
    service.ends_on("TERM");
}

/// A verb with a file of each twin in the place of `^`.
fn at(verb: &str, files: &[std::path::PathBuf; 2]) -> &'static str {
    let folder = files[0].parent().unwrap().to_str().unwrap();
    Box::leak(verb.replace('^', &format!("{folder}/%")).into_boxed_str())
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn trust_is_given_and_taken() {
    let (world, service) = with_real("lxd");
    let name = format!("{}t", OURS.prefix());
    let lxd = |words: &[&str]| world.run(&[&["lxd", "trust"], words].concat());

    // A token, which lets somebody in until it is revoked.
    let added = lxd(&["add", "real:", "--name", &name]);
    assert_eq!(added.code, Some(0), "{}", added.stderr);
    let token = added.stdout.lines().last().unwrap();
    assert!(token.parse::<lxd_client::TrustToken>().is_ok(), "{}", added.stdout);
    let listed = lxd(&["list-tokens", "real", "-f", "csv"]);
    assert!(listed.stdout.contains(&format!("real,{name},{token},")), "{}", listed.stdout);
    assert_eq!(lxd(&["revoke-token", "real:", &name]).code, Some(0));
    assert_eq!(lxd(&["revoke-token", &format!("real:{name}")]).code, Some(5));

    // A certificate of somebody else, by the beginning of its fingerprint.
    let (pem, key) = lxd_client::Identity::generate_pem("somebody").unwrap();
    let fingerprint = lxd_client::Identity::from_pem(&pem, &key).unwrap().fingerprint().to_string();
    world.write("somebody.crt", &pem);
    assert_eq!(lxd(&["add", "real:", "somebody.crt", "--projects", "default"]).code, Some(0));
    let beginning = format!("real:{}", &fingerprint[..16]);
    let shown = world.json(&["lxd", "trust", "show", &beginning]);
    assert_eq!((&shown["name"], &shown["restricted"]), (&"somebody".into(), &true.into()), "{shown}");
    let listed = lxd(&["list", "real", "-f", "csv"]);
    assert!(
        listed.stdout.contains(&format!("real,client,somebody,somebody,{},", &fingerprint[..12])),
        "{}",
        listed.stdout
    );
    let words = ["lxd", "trust", "edit", &beginning].map(str::to_owned);
    let edited = feed(world.program(), &words, "name: renamed\ntype: client\nrestricted: false\n");
    assert_eq!(edited.code, Some(0), "{}", edited.stderr);
    assert_eq!(world.json(&["lxd", "trust", "show", &beginning])["name"], "renamed");
    assert_eq!(lxd(&["remove", &beginning]).code, Some(0));
    assert_eq!(lxd(&["show", &beginning]).code, Some(5));

    // This node's own one.
    let state = std::fs::read_dir(world.path("state")).unwrap().count();
    assert!(state > 0);
    let own = lxd_client::Identity::load_or_generate(&world.path("state"), "x").unwrap().fingerprint();
    let own = format!("real:{own}");
    let refused = lxd(&["remove", &own]);
    assert!(refused.code == Some(2) && refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(lxd(&["remove", &own, "--force"]).code, Some(0));
    assert_eq!(world.run(&["lxd", "profile", "list", "real"]).code, Some(9));

    // The other clouds are listed all the same. As before, a cloud's name has it trust this node.
    let anew = crate::real_lxd::new_token();
    world.write("again", &anew);
    let again = lxd(&["real", "--token-from", "again"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let all = world.run(&["lxd", "profile", "list", "-o", "json"]);
    assert_eq!(all.code, Some(9), "the stand-in does not trust this node: {}", all.stderr);
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    assert!(all.as_array().unwrap().iter().any(|p| p["cloud"] == "real" && p["name"] == "default"), "{all}");
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_edit_tells_what_somebody_else_changed_meanwhile() {
    let _cleaned = Cleaned(&["profile delete @e"]);
    let (world, service) = with_real("lxd");
    let name = format!("{}e", OURS.prefix());
    world.good(&["lxd", "profile", "create", &format!("real:{name}")]);
    // An editor during which somebody else changes the profile.
    let script = format!(
        "sed -i 's/^description:.*/description: mine/' \"$1\"; LXD_DIR={} lxc profile set {name} user.theirs=hush",
        lxd_dir().display()
    );
    world.write("editor", &format!("#!/bin/sh\n{script}\n"));
    let mut program = world.program();
    program.env("EDITOR", format!("sh {}", world.path("editor").display()));
    program.args(["lxd", "profile", "edit", &format!("real:{name}")]);
    let mut terminal = crate::terminal::Terminal::of(&mut program, 24, 200);
    terminal.shows("was changed by somebody else meanwhile: config.user.theirs; nothing was written");
    terminal.shows("Press enter");
    terminal.types("\r"); // and nothing is changed in the editor
    assert_eq!(terminal.program.wait().unwrap().code(), Some(1));
    let shown = world.json(&["lxd", "profile", "show", &format!("real:{name}")]);
    assert_eq!((&shown["description"], &shown["config"]["user.theirs"]), (&"".into(), &"hush".into()));
    service.ends_on("TERM");
}

#[test]
#[ignore = "needs a real Incus: .ci/with-incus cargo test -p kolaboree-node --test whole -- --ignored incus"]
fn the_verbs_for_objects_work_with_incus() {
    let (world, service) = with_real("incus");
    let mut failed = Vec::new();
    for verb in [
        "profile create @p",
        "profile set @p limits.cpu=2 user.x=y",
        "profile device add @p root disk pool=default path=/",
        "profile copy @p @q",
        "profile rename @q %r",
        "project create @j -c features.profiles=false",
        "project info @j",
        "network acl create @w user.x=y",
        "network acl rule add @w ingress action=allow protocol=tcp",
        "network acl rule remove @w ingress protocol=tcp",
        "network zone create @z.example.net",
        "network zone record create @z.example.net %w",
        "network zone record entry add @z.example.net %w A 192.0.2.7 --ttl 60",
        "network create @n ipv4.address=$.1/24 ipv4.nat=false ipv6.address=none",
        "network forward create @n $.77 target_address=$.5",
        "network forward port add @n $.77 tcp 80 $.6",
        "network attach-profile @n %p",
        "network detach-profile @n %p",
        "storage create @s dir",
        "storage volume create @s data user.x=y",
        "storage volume snapshot @s data first",
        "storage volume restore @s data first",
        "storage volume copy @s/data @s/copy",
        "storage volume copy @s/data/first @s/old",
        "storage volume move @s/copy @s/moved",
        "storage volume set @s data user.x=z",
        "storage bucket list @s",
        "storage volume list @s",
        "profile list real --all-projects",
        "storage volume delete @s data",
        "storage volume delete @s old",
        "storage volume delete @s moved",
        "storage delete @s",
        "network forward delete @n $.77",
        "network delete @n",
        "network zone record delete @z.example.net %w",
        "network zone delete @z.example.net",
        "network acl delete @w",
        "project delete @j",
        "profile delete @p",
        "profile delete @r",
    ] {
        let words: Vec<String> = std::iter::once("lxd".to_owned()).chain(OURS.words(verb)).collect();
        let ran = feed(world.program(), &words, "");
        failed.extend((ran.code != Some(0)).then(|| format!("{verb}: {}", ran.stderr)));
    }
    let refused = world.run(&["lxd", "network", "load-balancer", "list", "real:eth0"]);
    assert!(refused.code == Some(1) || refused.code == Some(5), "{:?} {}", refused.code, refused.stderr);
    assert!(failed.is_empty(), "{failed:#?}");
    service.ends_on("TERM");
}
