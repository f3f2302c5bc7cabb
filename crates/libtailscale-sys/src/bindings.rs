// Made by bindgen from tailscale.h: see the feature `bindgen` in Cargo.toml.
// SHA-256 of tailscale.h: 43ab63831d29360763a58ef7582d9772bef619a31c87f74a5b106d00d8cce832

pub const TAILSCALE_ABI_VERSION: u32 = 1;
pub type tailscale = u64;
pub type tailscale_conn = u64;
pub type tailscale_listener = u64;
pub type tailscale_op = u64;
///Text that is only read; named so that the compiler can hold this header against the library.
pub type tailscale_text = ::std::os::raw::c_char;
pub const TAILSCALE_OK: tailscale_code = 0;
///null where it may not be, not UTF-8, malformed JSON or address
pub const TAILSCALE_INVALID_ARGUMENT: tailscale_code = 1;
///unknown, closed, or of another kind
pub const TAILSCALE_BAD_HANDLE: tailscale_code = 2;
///configured after the start, or used before it
pub const TAILSCALE_WRONG_STATE: tailscale_code = 3;
///tailscale_cancel was called
pub const TAILSCALE_CANCELED: tailscale_code = 4;
///the operation's own deadline passed
pub const TAILSCALE_TIMEOUT: tailscale_code = 5;
///somebody has to open the URL in `data`
pub const TAILSCALE_NEEDS_LOGIN: tailscale_code = 6;
///an administrator has to approve the node
pub const TAILSCALE_NEEDS_APPROVAL: tailscale_code = 7;
///the control server refused the node or its key
pub const TAILSCALE_AUTH_REJECTED: tailscale_code = 8;
///the control server gave no answer
pub const TAILSCALE_CONTROL_UNREACHABLE: tailscale_code = 9;
///no node, service or accepted route has the address
pub const TAILSCALE_NOT_IN_TAILNET: tailscale_code = 10;
///the tailnet has no node of that name
pub const TAILSCALE_NO_SUCH_HOST: tailscale_code = 11;
///the peer refused the connection
pub const TAILSCALE_REFUSED: tailscale_code = 12;
///the peer reset the connection
pub const TAILSCALE_RESET: tailscale_code = 13;
///the tailnet has the address, but no packet gets there
pub const TAILSCALE_UNREACHABLE: tailscale_code = 14;
///the node has not joined, or was stopped or logged out
pub const TAILSCALE_NOT_RUNNING: tailscale_code = 15;
///the node was closed
pub const TAILSCALE_CLOSED: tailscale_code = 16;
///the state folder is unusable or in use by another node
pub const TAILSCALE_STATE_FOLDER: tailscale_code = 17;
///anything else
pub const TAILSCALE_INTERNAL: tailscale_code = 18;
///another listener of the node has the port
pub const TAILSCALE_ADDRESS_IN_USE: tailscale_code = 19;
///the LocalAPI refused the request; `data` is the HTTP status
pub const TAILSCALE_LOCAL_API: tailscale_code = 20;
///the node's key has expired: tailscale_login renews it
pub const TAILSCALE_KEY_EXPIRED: tailscale_code = 21;
///the tailnet does not allow it, or not to this node
pub const TAILSCALE_NOT_ALLOWED: tailscale_code = 22;
///the control server's certificate is not one to trust
pub const TAILSCALE_CONTROL_UNTRUSTED: tailscale_code = 23;
pub type tailscale_code = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct tailscale_slice {
    pub ptr: *const ::std::os::raw::c_char,
    pub len: usize,
}
/**What an operation ended with. Only `code` and `message` are set when it failed, with two
 exceptions: NEEDS_LOGIN and LOCAL_API set `data`.*/
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct tailscale_result {
    ///enum tailscale_code
    pub code: i32,
    ///dial, accept, listen_packet: the caller's end of a socket pair; else -1
    pub fd: i32,
    ///dial, accept, listen_packet: the stream or socket; else 0
    pub conn: tailscale_conn,
    ///listen: the listener; else 0
    pub listener: tailscale_listener,
    ///why it failed, for people
    pub message: tailscale_slice,
    ///JSON or text, as the function says
    pub data: tailscale_slice,
    ///dial, accept: the stream's own address, "ip:port"; listen, listen_packet: where it listens
    pub local: tailscale_slice,
    ///dial, accept: the peer's address, "ip:port"
    pub remote: tailscale_slice,
}
pub type tailscale_done = ::std::option::Option<
    unsafe extern "C" fn(
        context: *mut ::std::os::raw::c_void,
        result: *const tailscale_result,
    ),
>;
pub const TAILSCALE_LOG_TRACE: tailscale_log_level = 0;
pub const TAILSCALE_LOG_DEBUG: tailscale_log_level = 1;
pub const TAILSCALE_LOG_INFO: tailscale_log_level = 2;
pub const TAILSCALE_LOG_WARN: tailscale_log_level = 3;
pub type tailscale_log_level = ::std::os::raw::c_uint;
/**One line, without its line end, that `node` has logged, or that is of no node in particular: 0. Lines may come on any
 thread, and a few may still come while a node closes. Configured secrets are replaced before.*/
pub type tailscale_log = ::std::option::Option<
    unsafe extern "C" fn(
        node: tailscale,
        level: i32,
        line: *const ::std::os::raw::c_char,
        len: usize,
    ),
>;
unsafe extern "C" {
    ///Returns TAILSCALE_ABI_VERSION of the library that was linked.
    pub fn tailscale_abi_version() -> u32;
}
unsafe extern "C" {
    /**Sets the process's receiver of log lines; null discards them. The library writes nothing to the standard error; only
 Go's runtime does, before it ends the process.*/
    pub fn tailscale_set_log(log: tailscale_log) -> i32;
}
unsafe extern "C" {
    ///Makes a node, which does nothing yet. tailscale_close frees it.
    pub fn tailscale_new(node: *mut tailscale) -> i32;
}
unsafe extern "C" {
    /**Sets what the node is to be, before its start. `config` is a JSON object; unknown keys are refused.
   hostname      the name it asks for; default: the program's name
   auth_key      an auth key, or an OAuth client secret
   client_secret an OAuth client secret, which makes a key for a node with `tags`
   client_id     the OAuth client of a workload identity, which needs `tags` and `id_token`
   id_token      the identity's token, from its provider
   control_url   default: Tailscale's
   state_dir     where it keeps its identity; empty: in memory only, which requires `ephemeral`, or as
                 tailscale_set_store says
   ephemeral     whether the control server forgets the node soon after it has gone offline
   tags          the ACL tags it asks for, each "tag:name"
   port          the UDP port for WireGuard; 0 or absent: any
   port_mapping  whether to ask the host's gateway (NAT-PMP, PCP, UPnP) for a port; default true.
                 false switches it off for every node of the process
   own_proxies   where this process serves proxies into the tailnet, each "ip:port": environment variables
                 (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) that name one of those are left out, for every node of
                 the process
   accept_routes whether to use the subnet routes that other nodes offer; default false*/
    pub fn tailscale_configure(
        node: tailscale,
        config: *const ::std::os::raw::c_char,
        len: usize,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
/**Keeps `value` under `id`, or forgets `id` when `value` is null. Returns 0, or anything else when it cannot. It may
 block; it is called on any thread, but never twice at once for one node.*/
pub type tailscale_store_write = ::std::option::Option<
    unsafe extern "C" fn(
        context: *mut ::std::os::raw::c_void,
        id: *const ::std::os::raw::c_char,
        id_len: usize,
        value: *const ::std::os::raw::c_char,
        value_len: usize,
    ) -> i32,
>;
///Says that a store is needed no more.
pub type tailscale_store_release = ::std::option::Option<
    unsafe extern "C" fn(context: *mut ::std::os::raw::c_void),
>;
unsafe extern "C" {
    /**Has the node keep its identity by `write`, before its start. `state` is what was kept before: a JSON object of ids and
 base64. `release` is called once, when the node has closed. Nothing is called unless this returns TAILSCALE_OK.*/
    pub fn tailscale_set_store(
        node: tailscale,
        state: *const ::std::os::raw::c_char,
        len: usize,
        write: tailscale_store_write,
        release: tailscale_store_release,
        context: *mut ::std::os::raw::c_void,
    ) -> i32;
}
unsafe extern "C" {
    /**Starts the node, within a minute; it joins on its own in the background. Where a node of this process that is closing
 has the same state folder, it waits for that one to leave.*/
    pub fn tailscale_start(
        node: tailscale,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Starts the node if need be and waits until it has joined. `data` is then its status, as in
 tailscale_status. TAILSCALE_NEEDS_LOGIN: `data` is the URL. The node goes on trying after a failure.*/
    pub fn tailscale_up(
        node: tailscale,
        timeout_ms: u32,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Lets the node in anew with a key, and waits as tailscale_up does. With an empty key a person is to log in: it ends
 at once, and the node's state then has the URL. The secret of an OAuth client makes a key first. A node that was in its
 tailnet goes on as before when it is refused. A login that has begun goes on after the operation's end.*/
    pub fn tailscale_login(
        node: tailscale,
        key: *const ::std::os::raw::c_char,
        len: usize,
        timeout_ms: u32,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    ///Takes the node out of the tailnet and forgets its identity; tailscale_login lets it in again, as a new node.
    pub fn tailscale_logout(
        node: tailscale,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Waits until the node's state is newer than the one numbered `seen` (0: at once), and gives the newest state as JSON in
 `data`: {"seq", "state", "login_url", "error", "health", "key_expiry", "expired", "forgotten", "netmap_version"}.
 `state` is one of NoState, NeedsLogin, NeedsMachineAuth, Stopped, Starting, Running. `health` is a list of sentences.
 `key_expiry` is a time in Unix seconds, or 0. `forgotten` says whether the control server no longer knows the node.
 `netmap_version` counts the changes of the network map: nodes, users, tags, app capabilities.*/
    pub fn tailscale_watch(
        node: tailscale,
        seen: u64,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    ///Gives the node's status in `data`, within 30 s: the LocalAPI's /status, JSON of Go's ipnstate.Status.
    pub fn tailscale_status(
        node: tailscale,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Sends a request to the node's LocalAPI, such as GET /localapi/v0/prefs. `data` is the answer's body.
 Refused with INVALID_ARGUMENT is what would connect or resolve by the host's network, lose the node's identity, give it
 another control server or change this machine, and what the library does not know.*/
    pub fn tailscale_local_api(
        node: tailscale,
        method: *const ::std::os::raw::c_char,
        method_len: usize,
        path: *const ::std::os::raw::c_char,
        path_len: usize,
        body: *const ::std::os::raw::c_char,
        body_len: usize,
        timeout_ms: u32,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Offers the LocalAPI on a Unix socket at `path`, to this user alone, until the node is closed: the `tailscale` command
 can be pointed at it. What tailscale_local_api refuses is refused there too.*/
    pub fn tailscale_serve_local_api(
        node: tailscale,
        path: *const ::std::os::raw::c_char,
        len: usize,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    ///Gives the node's newest check of the network around it in `data`, JSON of Go's netcheck.Report; waits for the first.
    pub fn tailscale_netcheck(
        node: tailscale,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
///What a node has carried since its start.
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct tailscale_counters {
    ///begun
    pub dials: u64,
    ///ended without a stream
    pub dial_failures: u64,
    ///streams from other nodes that were taken
    pub accepted: u64,
    ///at this moment
    pub open_streams: u64,
    ///by streams
    pub bytes_sent: u64,
    ///by streams
    pub bytes_received: u64,
}
unsafe extern "C" {
    pub fn tailscale_get_counters(
        node: tailscale,
        counters: *mut tailscale_counters,
    ) -> i32;
}
unsafe extern "C" {
    /**Looks up `host`, an IP address or a name, as tailscale_dial does, and gives the addresses that it would dial in `data`, a
 JSON array of texts: those of the tailnet, of which there is one at the least.*/
    pub fn tailscale_resolve(
        node: tailscale,
        host: *const ::std::os::raw::c_char,
        len: usize,
        timeout_ms: u32,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Dials `address`, "host:port" with an IP address or a MagicDNS name, by TCP and through the tailnet
 only: neither the host's network nor its DNS is ever used.
 `fd` is non-blocking and close-on-exec. Shutting down its writing side sends FIN to the peer; reading 0
 bytes means that the peer sent FIN, or that the stream broke: tailscale_conn_error tells which.*/
    pub fn tailscale_dial(
        node: tailscale,
        address: *const ::std::os::raw::c_char,
        len: usize,
        timeout_ms: u32,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Listens for TCP streams from other nodes. `options` is a JSON object; unknown keys are refused.
   address      "ip:port" with an address of the node's own, or ":port" for all of them. Port 0 means any that is
                free, which `local` then tells
   all_ports    whether to take the streams to all ports that no other listener has; `address` is then ":0" or "ip:0"
   backlog      how many streams may wait for tailscale_accept; more are refused. 0 or absent: 128
   tls          whether to end TLS, with the node's certificate for its full MagicDNS name
   alpn         the protocols to offer there by ALPN, the dearest first: a list of names such as "h2", "http/1.1". A client
                that names others only is refused; one that names none is not. Absent: none is agreed on
   funnel       whether to take streams from the Internet too (Tailscale Funnel, which ends TLS)
   funnel_only  as funnel, and none from the tailnet
   service      the service, "svc:name", on whose addresses to listen, as one of its hosts
 The node must have joined.*/
    pub fn tailscale_listen(
        node: tailscale,
        options: *const ::std::os::raw::c_char,
        len: usize,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    /**Waits for a stream, which comes as from tailscale_dial. `data` is the protocol that was agreed on by ALPN, or empty.
 TAILSCALE_CLOSED once the listener is.*/
    pub fn tailscale_accept(
        listener: tailscale_listener,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    ///Closes a listener and frees its handle; whoever waits in tailscale_accept is told.
    pub fn tailscale_listener_close(listener: tailscale_listener) -> i32;
}
unsafe extern "C" {
    /**Binds a UDP socket to `address`: "ip:port" with an address of the node's own, "0.0.0.0:port" for its IPv4 address, or
 `[::]:port` or ":port" for all of them. Port 0 means any that is free, which `local` then tells.
 Each message on `fd`, which is as of tailscale_dial, is a datagram after an 18-byte header: the other side's address, 16 bytes
 of IPv6 (IPv4 mapped), and its port, big-endian. Ask tailscale_contains before sending to a new address. Reading 0
 bytes means that the socket has ended.*/
    pub fn tailscale_listen_packet(
        node: tailscale,
        address: *const ::std::os::raw::c_char,
        len: usize,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    ///Returns TAILSCALE_OK when the tailnet has the IP address, else TAILSCALE_NOT_IN_TAILNET.
    pub fn tailscale_contains(
        node: tailscale,
        ip: *const ::std::os::raw::c_char,
        len: usize,
    ) -> i32;
}
unsafe extern "C" {
    ///Has the network ask a peer that was silent for `seconds` whether it is still there; 0: never.
    pub fn tailscale_conn_keepalive(conn: tailscale_conn, seconds: u32) -> i32;
}
unsafe extern "C" {
    ///Ends a stream at once, without delivering what is under way; the peer is told by a reset. The handle stays.
    pub fn tailscale_conn_abort(conn: tailscale_conn) -> i32;
}
unsafe extern "C" {
    ///Returns why the stream broke, or TAILSCALE_OK while it did not.
    pub fn tailscale_conn_error(conn: tailscale_conn) -> i32;
}
unsafe extern "C" {
    /**Says that the owner is closing `fd`, and frees the handle, which every stream needs. What was written
 is still delivered, within a minute.*/
    pub fn tailscale_conn_close(conn: tailscale_conn) -> i32;
}
unsafe extern "C" {
    /**Closes the node, its streams and its operations (which end with TAILSCALE_CLOSED), and waits until it has
 gone. From then on the handle is free; until then it can be closed again, which waits too, and is refused by
 all else. TAILSCALE_TIMEOUT: past the deadline; closing goes on in the background.*/
    pub fn tailscale_close(
        node: tailscale,
        timeout_ms: u32,
        done: tailscale_done,
        context: *mut ::std::os::raw::c_void,
        op: *mut tailscale_op,
    ) -> i32;
}
unsafe extern "C" {
    ///Asks an operation to end early. BAD_HANDLE when it has ended already, which is no error.
    pub fn tailscale_cancel(op: tailscale_op) -> i32;
}
