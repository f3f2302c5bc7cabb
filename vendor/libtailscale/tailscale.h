/*
 * tailscale.h: a Tailscale node inside this process, as a C library.
 *
 * The contract
 *
 *  - Handles (tailscale, tailscale_conn, tailscale_listener, tailscale_op) are numbers that are never used twice. A handle
 *    that is unknown, closed or of another kind is refused with TAILSCALE_BAD_HANDLE.
 *  - A function returns TAILSCALE_OK or a code of enum tailscale_code, and never blocks on the network,
 *    on a disk or on another thread's work.
 *  - A function that takes a `done` callback starts an operation. When it returns TAILSCALE_OK, `done` is
 *    called exactly once, also after tailscale_cancel, possibly before the function has returned, and
 *    on any thread. When it returns anything else, `done` is never called.
 *  - What the result points to is valid until `done` returns, except `fd`, `conn` and `listener`, which
 *    then belong to the caller.
 *  - A `done` callback must be quick and must not unwind. It may call any function declared here.
 *  - Text is UTF-8 with a length and no terminating zero. A length of 0 allows a null pointer.
 *  - A Go panic inside the library ends as TAILSCALE_INTERNAL of the call or operation it happened in.
 */
#ifndef TAILSCALE_H
#define TAILSCALE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this contract, to be compared with what tailscale_abi_version returns. */
#define TAILSCALE_ABI_VERSION 1

typedef uint64_t tailscale;          /**< a node */
typedef uint64_t tailscale_conn;     /**< a stream to another node, or a UDP socket */
typedef uint64_t tailscale_listener; /**< what takes streams from other nodes */
typedef uint64_t tailscale_op;       /**< an operation under way */

/** Text that is only read; named so that the compiler can hold this header against the library. */
typedef const char tailscale_text;

enum tailscale_code {
  TAILSCALE_OK = 0,
  TAILSCALE_INVALID_ARGUMENT = 1,    /**< null where it may not be, not UTF-8, malformed JSON or address */
  TAILSCALE_BAD_HANDLE = 2,          /**< unknown, closed, or of another kind */
  TAILSCALE_WRONG_STATE = 3,         /**< configured after the start, or used before it */
  TAILSCALE_CANCELED = 4,            /**< tailscale_cancel was called */
  TAILSCALE_TIMEOUT = 5,             /**< the operation's own deadline passed */
  TAILSCALE_NEEDS_LOGIN = 6,         /**< somebody has to open the URL in `data` */
  TAILSCALE_NEEDS_APPROVAL = 7,      /**< an administrator has to approve the node */
  TAILSCALE_AUTH_REJECTED = 8,       /**< the control server refused the node or its key */
  TAILSCALE_CONTROL_UNREACHABLE = 9, /**< the control server gave no answer */
  TAILSCALE_NOT_IN_TAILNET = 10,     /**< no node, service or accepted route has the address */
  TAILSCALE_NO_SUCH_HOST = 11,       /**< the tailnet has no node of that name */
  TAILSCALE_REFUSED = 12,            /**< the peer refused the connection */
  TAILSCALE_RESET = 13,              /**< the peer reset the connection */
  TAILSCALE_UNREACHABLE = 14,        /**< the tailnet has the address, but no packet gets there */
  TAILSCALE_NOT_RUNNING = 15,        /**< the node has not joined, or was stopped or logged out */
  TAILSCALE_CLOSED = 16,             /**< the node was closed */
  TAILSCALE_STATE_FOLDER = 17,       /**< the state folder is unusable or in use by another node */
  TAILSCALE_INTERNAL = 18,           /**< anything else */
  TAILSCALE_ADDRESS_IN_USE = 19,     /**< another listener of the node has the port */
  TAILSCALE_LOCAL_API = 20,          /**< the LocalAPI refused the request; `data` is the HTTP status */
  TAILSCALE_KEY_EXPIRED = 21,        /**< the node's key has expired: tailscale_login renews it */
  TAILSCALE_NOT_ALLOWED = 22,        /**< the tailnet does not allow it, or not to this node */
  TAILSCALE_CONTROL_UNTRUSTED = 23   /**< the control server's certificate is not one to trust */
};

struct tailscale_slice {
  tailscale_text *ptr;
  size_t len;
};

/** What an operation ended with. Only `code` and `message` are set when it failed, with two
 * exceptions: NEEDS_LOGIN and LOCAL_API set `data`. */
struct tailscale_result {
  int32_t code;                   /**< enum tailscale_code */
  int32_t fd;                     /**< dial, accept, listen_packet: the caller's end of a socket pair; else -1 */
  tailscale_conn conn;            /**< dial, accept, listen_packet: the stream or socket; else 0 */
  tailscale_listener listener;    /**< listen: the listener; else 0 */
  struct tailscale_slice message; /**< why it failed, for people */
  struct tailscale_slice data;    /**< JSON or text, as the function says */
  struct tailscale_slice local;   /**< dial, accept: the stream's own address, "ip:port"; listen, listen_packet: where it listens */
  struct tailscale_slice remote;  /**< dial, accept: the peer's address, "ip:port" */
};

typedef void (*tailscale_done)(void *context, const struct tailscale_result *result);

enum tailscale_log_level {
  TAILSCALE_LOG_TRACE = 0,
  TAILSCALE_LOG_DEBUG = 1,
  TAILSCALE_LOG_INFO = 2,
  TAILSCALE_LOG_WARN = 3
};

/** One line, without its line end, that `node` has logged, or that is of no node in particular: 0. Lines may come on any
 * thread, and a few may still come while a node closes. Configured secrets are replaced before. */
typedef void (*tailscale_log)(tailscale node, int32_t level, tailscale_text *line, size_t len);

/** Returns TAILSCALE_ABI_VERSION of the library that was linked. */
uint32_t tailscale_abi_version(void);

/** Sets the process's receiver of log lines; null discards them. The library writes nothing to the standard error; only
 * Go's runtime does, before it ends the process. */
int32_t tailscale_set_log(tailscale_log log);

/** Makes a node, which does nothing yet. tailscale_close frees it. */
int32_t tailscale_new(tailscale *node);

/**
 * Sets what the node is to be, before its start. `config` is a JSON object; unknown keys are refused.
 *   hostname      the name it asks for; default: the program's name
 *   auth_key      an auth key, or an OAuth client secret
 *   client_secret an OAuth client secret, which makes a key for a node with `tags`
 *   client_id     the OAuth client of a workload identity, which needs `tags` and `id_token`
 *   id_token      the identity's token, from its provider
 *   control_url   default: Tailscale's
 *   state_dir     where it keeps its identity; empty: in memory only, which requires `ephemeral`, or as
 *                 tailscale_set_store says
 *   ephemeral     whether the control server forgets the node soon after it has gone offline
 *   tags          the ACL tags it asks for, each "tag:name"
 *   port          the UDP port for WireGuard; 0 or absent: any
 *   port_mapping  whether to ask the host's gateway (NAT-PMP, PCP, UPnP) for a port; default true.
 *                 false switches it off for every node of the process
 *   own_proxies   where this process serves proxies into the tailnet, each "ip:port": environment variables
 *                 (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) that name one of those are left out, for every node of
 *                 the process
 *   accept_routes whether to use the subnet routes that other nodes offer; default false
 */
int32_t tailscale_configure(tailscale node, tailscale_text *config, size_t len, tailscale_done done,
                            void *context, tailscale_op *op);

/** Keeps `value` under `id`, or forgets `id` when `value` is null. Returns 0, or anything else when it cannot. It may
 * block; it is called on any thread, but never twice at once for one node. */
typedef int32_t (*tailscale_store_write)(void *context, tailscale_text *id, size_t id_len, tailscale_text *value,
                                         size_t value_len);

/** Says that a store is needed no more. */
typedef void (*tailscale_store_release)(void *context);

/**
 * Has the node keep its identity by `write`, before its start. `state` is what was kept before: a JSON object of ids and
 * base64. `release` is called once, when the node has closed. Nothing is called unless this returns TAILSCALE_OK.
 */
int32_t tailscale_set_store(tailscale node, tailscale_text *state, size_t len, tailscale_store_write write,
                            tailscale_store_release release, void *context);

/** Starts the node, within a minute; it joins on its own in the background. Where a node of this process that is closing
 * has the same state folder, it waits for that one to leave. */
int32_t tailscale_start(tailscale node, tailscale_done done, void *context, tailscale_op *op);

/** Starts the node if need be and waits until it has joined. `data` is then its status, as in
 * tailscale_status. TAILSCALE_NEEDS_LOGIN: `data` is the URL. The node goes on trying after a failure. */
int32_t tailscale_up(tailscale node, uint32_t timeout_ms, tailscale_done done, void *context,
                     tailscale_op *op);

/** Lets the node in anew with a key, and waits as tailscale_up does. With an empty key a person is to log in: it ends
 * at once, and the node's state then has the URL. The secret of an OAuth client makes a key first. A node that was in its
 * tailnet goes on as before when it is refused. A login that has begun goes on after the operation's end. */
int32_t tailscale_login(tailscale node, tailscale_text *key, size_t len, uint32_t timeout_ms, tailscale_done done,
                        void *context, tailscale_op *op);

/** Takes the node out of the tailnet and forgets its identity; tailscale_login lets it in again, as a new node. */
int32_t tailscale_logout(tailscale node, tailscale_done done, void *context, tailscale_op *op);

/**
 * Waits until the node's state is newer than the one numbered `seen` (0: at once), and gives the newest state as JSON in
 * `data`: {"seq", "state", "login_url", "error", "health", "key_expiry", "expired", "forgotten", "netmap_version"}.
 * `state` is one of NoState, NeedsLogin, NeedsMachineAuth, Stopped, Starting, Running. `health` is a list of sentences.
 * `key_expiry` is a time in Unix seconds, or 0. `forgotten` says whether the control server no longer knows the node.
 * `netmap_version` counts the changes of the network map: nodes, users, tags, app capabilities.
 */
int32_t tailscale_watch(tailscale node, uint64_t seen, tailscale_done done, void *context,
                        tailscale_op *op);

/** Gives the node's status in `data`, within 30 s: the LocalAPI's /status, JSON of Go's ipnstate.Status. */
int32_t tailscale_status(tailscale node, tailscale_done done, void *context, tailscale_op *op);

/**
 * Sends a request to the node's LocalAPI, such as GET /localapi/v0/prefs. `data` is the answer's body.
 * Refused with INVALID_ARGUMENT is what would connect or resolve by the host's network, lose the node's identity, give it
 * another control server or change this machine, and what the library does not know.
 */
int32_t tailscale_local_api(tailscale node, tailscale_text *method, size_t method_len,
                            tailscale_text *path, size_t path_len, tailscale_text *body, size_t body_len,
                            uint32_t timeout_ms, tailscale_done done, void *context, tailscale_op *op);

/** Offers the LocalAPI on a Unix socket at `path`, to this user alone, until the node is closed: the `tailscale` command
 * can be pointed at it. What tailscale_local_api refuses is refused there too. */
int32_t tailscale_serve_local_api(tailscale node, tailscale_text *path, size_t len, tailscale_done done,
                                  void *context, tailscale_op *op);

/** Gives the node's newest check of the network around it in `data`, JSON of Go's netcheck.Report; waits for the first. */
int32_t tailscale_netcheck(tailscale node, tailscale_done done, void *context, tailscale_op *op);

/** What a node has carried since its start. */
struct tailscale_counters {
  uint64_t dials;          /**< begun */
  uint64_t dial_failures;  /**< ended without a stream */
  uint64_t accepted;       /**< streams from other nodes that were taken */
  uint64_t open_streams;   /**< at this moment */
  uint64_t bytes_sent;     /**< by streams */
  uint64_t bytes_received; /**< by streams */
};

int32_t tailscale_get_counters(tailscale node, struct tailscale_counters *counters);

/**
 * Looks up `host`, an IP address or a name, as tailscale_dial does, and gives the addresses that it would dial in `data`, a
 * JSON array of texts: those of the tailnet, of which there is one at the least.
 */
int32_t tailscale_resolve(tailscale node, tailscale_text *host, size_t len, uint32_t timeout_ms,
                          tailscale_done done, void *context, tailscale_op *op);

/**
 * Dials `address`, "host:port" with an IP address or a MagicDNS name, by TCP and through the tailnet
 * only: neither the host's network nor its DNS is ever used.
 * `fd` is non-blocking and close-on-exec. Shutting down its writing side sends FIN to the peer; reading 0
 * bytes means that the peer sent FIN, or that the stream broke: tailscale_conn_error tells which.
 */
int32_t tailscale_dial(tailscale node, tailscale_text *address, size_t len, uint32_t timeout_ms,
                       tailscale_done done, void *context, tailscale_op *op);

/**
 * Listens for TCP streams from other nodes. `options` is a JSON object; unknown keys are refused.
 *   address      "ip:port" with an address of the node's own, or ":port" for all of them. Port 0 means any that is
 *                free, which `local` then tells
 *   all_ports    whether to take the streams to all ports that no other listener has; `address` is then ":0" or "ip:0"
 *   backlog      how many streams may wait for tailscale_accept; more are refused. 0 or absent: 128
 *   tls          whether to end TLS, with the node's certificate for its full MagicDNS name
 *   alpn         the protocols to offer there by ALPN, the dearest first: a list of names such as "h2", "http/1.1". A client
 *                that names others only is refused; one that names none is not. Absent: none is agreed on
 *   funnel       whether to take streams from the Internet too (Tailscale Funnel, which ends TLS)
 *   funnel_only  as funnel, and none from the tailnet
 *   service      the service, "svc:name", on whose addresses to listen, as one of its hosts
 * The node must have joined.
 */
int32_t tailscale_listen(tailscale node, tailscale_text *options, size_t len, tailscale_done done, void *context,
                         tailscale_op *op);

/** Waits for a stream, which comes as from tailscale_dial. `data` is the protocol that was agreed on by ALPN, or empty.
 * TAILSCALE_CLOSED once the listener is. */
int32_t tailscale_accept(tailscale_listener listener, tailscale_done done, void *context,
                         tailscale_op *op);

/** Closes a listener and frees its handle; whoever waits in tailscale_accept is told. */
int32_t tailscale_listener_close(tailscale_listener listener);

/**
 * Binds a UDP socket to `address`: "ip:port" with an address of the node's own, "0.0.0.0:port" for its IPv4 address, or
 * `[::]:port` or ":port" for all of them. Port 0 means any that is free, which `local` then tells.
 * Each message on `fd`, which is as of tailscale_dial, is a datagram after an 18-byte header: the other side's address, 16 bytes
 * of IPv6 (IPv4 mapped), and its port, big-endian. Ask tailscale_contains before sending to a new address. Reading 0
 * bytes means that the socket has ended.
 */
int32_t tailscale_listen_packet(tailscale node, tailscale_text *address, size_t len, tailscale_done done,
                                void *context, tailscale_op *op);

/** Returns TAILSCALE_OK when the tailnet has the IP address, else TAILSCALE_NOT_IN_TAILNET. */
int32_t tailscale_contains(tailscale node, tailscale_text *ip, size_t len);

/** Has the network ask a peer that was silent for `seconds` whether it is still there; 0: never. */
int32_t tailscale_conn_keepalive(tailscale_conn conn, uint32_t seconds);

/** Ends a stream at once, without delivering what is under way; the peer is told by a reset. The handle stays. */
int32_t tailscale_conn_abort(tailscale_conn conn);

/** Returns why the stream broke, or TAILSCALE_OK while it did not. */
int32_t tailscale_conn_error(tailscale_conn conn);

/** Says that the owner is closing `fd`, and frees the handle, which every stream needs. What was written
 * is still delivered, within a minute. */
int32_t tailscale_conn_close(tailscale_conn conn);

/**
 * Closes the node, its streams and its operations (which end with TAILSCALE_CLOSED), and waits until it has
 * gone. From then on the handle is free; until then it can be closed again, which waits too, and is refused by
 * all else. TAILSCALE_TIMEOUT: past the deadline; closing goes on in the background.
 */
int32_t tailscale_close(tailscale node, uint32_t timeout_ms, tailscale_done done, void *context,
                        tailscale_op *op);

/** Asks an operation to end early. BAD_HANDLE when it has ended already, which is no error. */
int32_t tailscale_cancel(tailscale_op op);

#ifdef __cplusplus
}
#endif

#endif /* TAILSCALE_H */
