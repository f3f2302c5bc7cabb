// Made by "npm run types".
export interface paths {
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was changed at this node by whom, and what was denied, the newest first. It tells of the places that the caller
         *     administrates.
         */
        get: operations["list_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The clouds that the caller may see something of. None is asked now. */
        get: operations["list_clouds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A cloud. */
        get: operations["get_cloud"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Looks at a cloud now: how it is reached, and whether it answers. */
        post: operations["check_cloud"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/cluster/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The members of a cluster; none where the server is none. */
        get: operations["list_cluster_members"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/operations/{operation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An operation. Whichever node is asked, the answer is the same. */
        get: operations["get_operation"];
        put?: never;
        post?: never;
        /** Asks the cloud to cancel an operation. It takes the right to edit in its project. */
        delete: operations["cancel_operation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The projects of a cloud that the caller may see. */
        get: operations["list_projects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes an instance of a backup, of any length, as it comes. The answer comes once all of it is there, and the cloud unpacks it
         *     then. One that is cut off leaves nothing. The job's result has the instance's `name`.
         */
        post: operations["import_backup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/image-files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes an image in one file, of any length, as it comes. The answer comes once all of it is there, and the cloud unpacks it
         *     then. One that is cut off leaves nothing. The job's result has its `fingerprint`.
         */
        post: operations["upload_image"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/image-imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Has the cloud fetch an image from an image server. The cloud's operation tells how far it is; the job's result has the
         *     image's `fingerprint`.
         */
        post: operations["import_image"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The images of a project. */
        get: operations["list_images"];
        put?: never;
        /** Makes an image of an instance or a snapshot. The job's result has its `fingerprint`. */
        post: operations["publish_image"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/images/{image}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes an image. */
        delete: operations["delete_image"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/images/{image}/copy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Copies an image to another cloud or project. */
        post: operations["copy_image"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/images/{image}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An image as a file. One that is in two files, as those of virtual machines usually are, is fetched file by file:
         *     `part=metadata` and `part=rootfs`; without a part it is refused (`conflict`). A body that ends early, or with an error, is
         *     not the image.
         */
        get: operations["export_image"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes an instance. The job's result has its `name`. */
        post: operations["create_instance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An instance with all its parts. The answer's `ETag` is for the `If-Match` of a change. */
        get: operations["get_instance"];
        /**
         * Replaces the settings of an instance; with `If-Match` and the `ETag` that came with them only where nobody has changed them
         *     since.
         */
        put: operations["replace_instance"];
        /** Gives an instance, which must be stopped, another name. */
        post: operations["rename_instance"];
        /** Deletes an instance with its snapshots. */
        delete: operations["delete_instance"];
        options?: never;
        head?: never;
        /** Sets and unsets keys of an instance's configuration. */
        patch: operations["configure_instance"];
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a backup, which the server keeps. The job's result has its `name`. */
        post: operations["create_backup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/backups/{backup}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a backup. */
        delete: operations["delete_backup"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/backups/{backup}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A backup as a file, to keep it elsewhere. A body that ends early, or with an error, is not all of it. */
        get: operations["export_backup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Opens the text console of an instance, by a websocket (HTTP/1.1).
         * @description It is as a command on a terminal, whose end has no code. An instance has one console: where this node has it open already,
         *     the close has the code 4409, and the error says who has it, unless `take` is true. Who had it is told who took it.
         */
        get: operations["console"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/copy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copies an instance or a snapshot, also to another cloud. The copy is held against its source before the job is done. The job
         *     belongs to this node; its result says which way the bytes took.
         */
        post: operations["copy_instance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/exec": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Runs a command in an instance, by a websocket (HTTP/1.1).
         * @description Binary messages are the bytes of the terminal, in both directions, as they are: what is shown may be hostile. Without a
         *     terminal the first byte of each message to the client says of which stream the others are: 1 for output, 2 for errors.
         *
         *     Text is JSON. The client sends `{"resize":{"width":W,"height":H}}`, `{"signal":N}` and, without a terminal, `{"eof":true}`. It
         *     is told first `{"session":{"id","node","terminal","from","lost","input"}}`: what comes now begins after `from` bytes of what
         *     was shown, `lost` bytes that it has not seen are not known any more, and `input` bytes of input were taken. At the end it is
         *     told `{"exit":{"code"}}`, `{"error":…}` with a problem, or `{"taken":{"by"}}` where another connection has the session now.
         *
         *     The session is this node's. It outlives a lost connection for two minutes: the same user at the same node comes back with
         *     `session` and `after`, the number of bytes seen; the newest 64 KiB are kept, and the end as well. A close with the code 1000
         *     ends it at once. The server pings every 20 seconds; a client that is silent for 60 counts as lost. A message has 1 MiB at the
         *     most, and a caller 16 sessions.
         *
         *     Codes of a close: 1000 it has ended, 1001 the node stops, and 4000 with the HTTP status of a problem, such as 4403 when the
         *     right is gone, 4404 for an instance or session that is not there, 4408 for a silent client, 4409 when it was taken, 4429 for
         *     too many, 4421 for a session of another node.
         */
        get: operations["exec"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file or a folder of an instance. A file comes as it is, or the part of it that `Range` asks for; a folder as a list, in
         *     JSON, or with `archive=tar` whole. A body that ends early, or with an error, is not all of it.
         */
        get: operations["get_instance_files"];
        /**
         * Writes a file, of any length, as it comes. It replaces what is there once it is whole: one that is cut off changes nothing.
         *     A link is followed.
         * @description With `archive=tar`, makes what the archive has in the folder, with modes, owners and links, and replaces what is there. A
         *     path that leads out of the folder, by its name or by a link, a device, and a named pipe are refused. What is whole before
         *     a failure stays.
         */
        put: operations["put_instance_files"];
        /** Makes an empty file, a folder or a symbolic link, where nothing is. */
        post: operations["create_instance_file"];
        /** Deletes a file, a link or an empty folder; with `recursive` also a folder with everything in it. */
        delete: operations["delete_instance_file"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/files/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives a file, a link or a folder another name or another folder, inside one file system of the instance. */
        post: operations["move_instance_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The names of an instance's logs. */
        get: operations["list_instance_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/logs/{log}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A log, as text that a browser stores and does not show. */
        get: operations["get_instance_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Moves an instance, also to another cloud. It is deleted where it was once the copy was found to be whole. */
        post: operations["move_instance"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a snapshot. The job's result has its `name`. */
        post: operations["create_snapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/snapshots/{snapshot}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives a snapshot another name. */
        post: operations["rename_snapshot"];
        /** Deletes a snapshot. */
        delete: operations["delete_snapshot"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/snapshots/{snapshot}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Brings an instance back to a snapshot. */
        post: operations["restore_snapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Starts, stops, restarts, freezes or unfreezes an instance. */
        put: operations["change_instance_state"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/instances/{instance}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an instance has used during the last hour. */
        get: operations["get_instance_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/networks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The networks that a project uses. */
        get: operations["list_networks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/profiles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The profiles of a project. */
        get: operations["list_profiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/projects/{project}/volumes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The storage volumes of a project, of all pools. */
        get: operations["list_volumes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/storage-pools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The storage pools of a cloud. */
        get: operations["list_storage_pools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clouds/{cloud}/warnings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a cloud warns of. */
        get: operations["list_warnings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the doctor found when it last ran. */
        get: operations["get_doctor"];
        put?: never;
        /** Runs the doctor now, which takes up to two minutes. All who ask meanwhile get the same run. */
        post: operations["run_doctor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The changes of what the caller may see, as they happen. After the `id` of an event, or, without one, from now on.
         * @description An event `change` has the changes of a moment, or, while there are many, of 100 ms. Each has its `kind` (`instance`,
         *     `instance-gone`, `operation`, `image`, `cloud` and so on) and its `row`. An event `reset` says that changes were missed:
         *     lists are to be asked for anew. What an instance uses, in its row too, is no change by itself. The stream ends when the
         *     caller may see nothing any more. Where nothing changes, an empty comment comes every 15 seconds: a stream without one is
         *     that of a node that died, and is to be followed anew.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The instances of all clouds, as the node knows them: no cloud is waited for. */
        get: operations["list_instances"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts, stops, restarts, freezes or unfreezes many instances, in any clouds. The outcome of each is a part of the job. Where
         *     one of them is not the caller's to operate, nothing is done.
         */
        post: operations["change_instance_states"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What callers have begun at this node, the newest first: what goes on, and what ended within a day, up to 1,000 jobs. */
        get: operations["list_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{job}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job. */
        get: operations["get_job"];
        put?: never;
        post?: never;
        /** Cancels a job: its clouds are asked to cancel their operations, and what was made so far is removed. */
        delete: operations["cancel_job"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who asks, and what that caller may do. */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/node": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How this node is in its tailnet. */
        get: operations["get_node"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/node/peers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The other nodes of the tailnet that this one may know of. */
        get: operations["list_peers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The operations of all clouds, the newest first: those that go on, and those that ended within five minutes. */
        get: operations["list_operations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The metrics of the node, in the text format of Prometheus. */
        get: operations["node_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/clouds/{cloud}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The cloud's own metrics, in the text format of OpenMetrics. */
        get: operations["cloud_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        BTreeMap: {
            [key: string]: {
                [key: string]: string;
            };
        };
        /** @description Who began something. */
        By: {
            /** @description The user's login name; none for a node with tags. */
            login?: string | null;
            /** @description Its name. */
            node: string;
            /** @description The stable ID of the node that asked. */
            node_id: string;
        };
        /** @description How a cloud is. */
        Cloud: {
            /** @description Its address in the tailnet. */
            address: string;
            /** @description The result of the newest probe. */
            health: components["schemas"]["Health"];
            /** @description The kind of server. */
            kind: components["schemas"]["CloudKind"];
            /** @description Its name. */
            name: string;
            /** @description Whether the service is ready only while it is reachable. */
            required: boolean;
        };
        /**
         * @description The kind of a cloud.
         * @enum {string}
         */
        CloudKind: "lxd" | "incus" | "tcp";
        /** @description A cloud: how it is reached, and how much of it the caller may see. */
        CloudView: components["schemas"]["Cloud"] & {
            freshness?: components["schemas"]["Freshness"] | null;
            /** @description The images that the caller may see. */
            images: number;
            /** @description The instances that the caller may see. */
            instances: number;
            /** @description How long its API took to answer the newest probes, oldest first, in milliseconds. Null is one that failed. */
            latencies: (number | null)[];
            /** @description Operations that have not ended. */
            operations: number;
            /** @description The projects that the caller may see. */
            projects: string[];
            /** @description The same by their status, such as `Running`. */
            statuses: {
                [key: string]: number;
            };
        };
        /**
         * @description The kinds of problems. More may come.
         * @enum {string}
         */
        Code: "invalid" | "forbidden" | "foreign_origin" | "wrong_host" | "not_found" | "other_node" | "method_not_allowed" | "conflict" | "changed" | "mismatch" | "too_large" | "unsupported_type" | "silent" | "too_many" | "cancelled" | "idle" | "no_such_part" | "refused" | "unreachable" | "not_trusted" | "timeout" | "unavailable" | "failed";
        /**
         * @description How the bytes of a copy between clouds are to travel.
         * @enum {string}
         */
        CopyMode: "auto" | "pull" | "push" | "relay";
        /** @description The node through which everything outside the tailnet goes. */
        ExitNode: {
            /** @description The name or address that the configuration gives. */
            configured: string;
            /** @description Its short MagicDNS name; none where the tailnet has no such node. */
            name?: string | null;
            /** @description Whether it offers itself as an exit node. */
            offers: boolean;
            /** @description Whether the control server hears from it. */
            online: boolean;
            /** @description Whether it is in use. */
            used: boolean;
        };
        /** @description What kind of failure it was; in JSON as `not_running`, `no_such_peer` and so on. */
        FailureCode: "not_running" | "not_in_tailnet" | "no_such_peer" | "no_such_host" | "not_found" | "invalid" | "auth_rejected" | "needs_login" | "needs_approval" | "key_expired" | "control_unreachable" | "control_untrusted" | "refused" | "unreachable" | "timeout" | "failed" | {
            /** @description A kind that this version does not know. */
            other: string;
        };
        /** @description Something in a folder of an instance. */
        FileView: {
            /** Format: int32 */
            gid: number;
            kind: components["schemas"]["FileViewKind"];
            /** @description The permissions, such as `0644`. */
            mode: string;
            /**
             * Format: int64
             * @description When it was changed, in seconds since 1970.
             */
            modified?: number | null;
            /** @description What is no UTF-8 in it is a `�`; it cannot be asked for then. */
            name: string;
            /**
             * Format: int64
             * @description In bytes, of a file.
             */
            size?: number | null;
            /** @description Where a link leads, as it is written in it. */
            target?: string | null;
            /** Format: int32 */
            uid: number;
        };
        /** @enum {string} */
        FileViewKind: "file" | "folder" | "symlink" | "special";
        /** @description What a check found. */
        Finding: {
            /** @description What was checked: `configuration`, `cloud berlin` and so on. */
            area: string;
            /** @description The cloud that it is about, if it is about one. */
            cloud?: string | null;
            /** @description What was found. */
            message: string;
            /** @description What to do about it; empty if nothing has to be done. */
            remedy: string;
            result: components["schemas"]["Outcome"];
        };
        /** @description A folder of an instance. */
        Folder: {
            /** @description What is in it, by name; 10,000 at the most. */
            entries: components["schemas"]["FileView"][];
            /** @description Its path, after links are followed. */
            path: string;
            /** @description How many there are. */
            total: number;
        };
        /** @description How fresh the rows of a cloud are. */
        Freshness: {
            /** @description When its rows were true: now, where they are fresh. RFC 3339. None where they were never read. */
            as_of?: string | null;
            name: string;
            /** @description Why they are not fresh. */
            problem?: string | null;
            state: components["schemas"]["FreshnessState"];
        };
        /**
         * @description How fresh rows are.
         * @enum {string}
         */
        FreshnessState: "fresh" | "stale" | "unreachable";
        /** @description The result of a probe of a cloud. */
        Health: {
            /**
             * Format: double
             * @description How many milliseconds the API took to answer.
             * @default null
             */
            api_ms: number | null;
            /** @default null */
            code: components["schemas"]["FailureCode"] | null;
            /**
             * @description Why.
             * @default null
             */
            error: string | null;
            /** @default null */
            failed_at: components["schemas"]["Stage"] | null;
            /**
             * @description The fingerprint of its certificate.
             * @default null
             */
            fingerprint: string | null;
            /**
             * @description Whether the control server hears from that node.
             * @default null
             */
            online: boolean | null;
            /**
             * @description How packets travel.
             * @default
             */
            path: string;
            /**
             * @description The node that has the address, or routes it.
             * @default null
             */
            peer: string | null;
            /**
             * @description The projects that it lets this node use, when the one that is configured is not among them.
             * @default null
             */
            projects: string[] | null;
            /**
             * @description Whether everything asked of it was answered; `None` before the first probe.
             * @default null
             */
            reachable: boolean | null;
            /**
             * @description The subnet route that the address is reached by, when no node has it.
             * @default null
             */
            route: string | null;
            /**
             * @description `lxd` or `incus`, when it trusts this node.
             * @default null
             */
            server: string | null;
            /**
             * Format: int64
             * @description Seconds since 1970 at which that last changed.
             * @default 0
             */
            since: number;
            /**
             * Format: double
             * @description How many milliseconds TCP took for the connection that is in use.
             * @default null
             */
            tcp_ms: number | null;
            /**
             * Format: double
             * @description How many milliseconds its TLS handshake took.
             * @default null
             */
            tls_ms: number | null;
            /**
             * @description Whether it trusts this node.
             * @default null
             */
            trusted: boolean | null;
            /**
             * @description Its version, when it trusts this node.
             * @default null
             */
            version: string | null;
        };
        /** @description An image of an image server, which the cloud reaches by its own network. */
        ImageServer: {
            /** @description The server's certificate, PEM, where no authority vouches for it. Not for `simplestreams`. */
            certificate?: string | null;
            /** @description An alias, or the begin of a fingerprint. */
            image: string;
            protocol: components["schemas"]["Protocol"];
            url: string;
        };
        /** @description An image that the cloud is to fetch. */
        ImportedImage: {
            /** @description Its names; ones that other images have go over to this one. */
            aliases?: string[];
            /** @description The cloud looks for newer ones from time to time. */
            auto_update?: boolean;
            /** @description Whether strangers may have it. */
            public?: boolean;
            /** @description Where it is. */
            server: components["schemas"]["ImageServer"];
        };
        /** @description An address of an instance. */
        InstanceAddress: {
            /** @default  */
            address: string;
            /**
             * @description Its network interface, such as `eth0`.
             * @default
             */
            interface: string;
        };
        /** @description The name of an instance among all clouds. */
        InstanceKey: {
            /** @description The cloud's name, as in the configuration. */
            cloud: string;
            name: string;
            project: string;
        };
        /** @description An instance. `Debug` leaves its settings out, which may hold secrets. */
        InstanceRow: components["schemas"]["InstanceKey"] & {
            architecture: string;
            /**
             * @description Its settings with those of its profiles, without what the server keeps for itself (`volatile.*`, but for the base
             *     image).
             */
            config: {
                [key: string]: string;
            };
            /** @description RFC 3339. */
            created_at: string;
            description: string;
            ephemeral: boolean;
            last_used_at: string;
            /** @description The member of a cluster that it is on; empty or `none` elsewhere. */
            location: string;
            /** @description The storage pool of its root disk. */
            pool: string;
            profiles: string[];
            /** @description How many snapshots it has, where that is known. */
            snapshots?: number | null;
            state?: components["schemas"]["InstanceUsage"] | null;
            stateful: boolean;
            /** @description Such as `Running`. */
            status: string;
            /** @description `container` or `virtual-machine`. */
            type: string;
            /**
             * @description The server's own number for it, a UUID: another one under the same name is another instance. Empty where the server
             *     has none.
             */
            uuid?: string;
        };
        /** @description What an instance uses, and where it is reached, at one moment. */
        InstanceUsage: {
            /**
             * @description Its global addresses.
             * @default []
             */
            addresses: components["schemas"]["InstanceAddress"][];
            /**
             * Format: int64
             * @description When, in seconds since 1970.
             * @default 0
             */
            at: number;
            /**
             * Format: double
             * @description CPU time since its start, in seconds.
             * @default 0
             */
            cpu_seconds: number;
            /**
             * Format: int64
             * @description Bytes of its root disk, where the storage tells that.
             * @default 0
             */
            disk: number;
            /**
             * Format: int64
             * @description Bytes of memory in use.
             * @default 0
             */
            memory: number;
            /**
             * Format: int64
             * @description The number of its first process, as the server's machine sees it.
             * @default 0
             */
            pid: number;
            /**
             * Format: int64
             * @default 0
             */
            processes: number;
            /**
             * Format: int64
             * @description Bytes over its networks since its start, the loopback left out.
             * @default 0
             */
            received: number;
            /**
             * Format: int64
             * @default 0
             */
            sent: number;
        };
        /** @description A job: what somebody has begun here. It is this node's alone; the operations that it consists of are the clouds' own. */
        JobView: {
            /** @description Such as `start`. */
            action: string;
            /** @description Who began it. */
            by: components["schemas"]["By"];
            created_at: string;
            ended_at?: string | null;
            id: string;
            /** @description The node that does it, by its short MagicDNS name. No other one knows of it. */
            node: string;
            /** @description What is done with each thing. */
            parts: components["schemas"]["PartView"][];
            status: components["schemas"]["Status"];
        };
        /** @description A page of a list, and how fresh it is. */
        List_InstanceRow: {
            /** @description How fresh what each cloud has is. */
            clouds: components["schemas"]["Freshness"][];
            items: (components["schemas"]["InstanceKey"] & {
                architecture: string;
                /**
                 * @description Its settings with those of its profiles, without what the server keeps for itself (`volatile.*`, but for the base
                 *     image).
                 */
                config: {
                    [key: string]: string;
                };
                /** @description RFC 3339. */
                created_at: string;
                description: string;
                ephemeral: boolean;
                last_used_at: string;
                /** @description The member of a cluster that it is on; empty or `none` elsewhere. */
                location: string;
                /** @description The storage pool of its root disk. */
                pool: string;
                profiles: string[];
                /** @description How many snapshots it has, where that is known. */
                snapshots?: number | null;
                state?: components["schemas"]["InstanceUsage"] | null;
                stateful: boolean;
                /** @description Such as `Running`. */
                status: string;
                /** @description `container` or `virtual-machine`. */
                type: string;
                /**
                 * @description The server's own number for it, a UUID: another one under the same name is another instance. Empty where the server
                 *     has none.
                 */
                uuid?: string;
            })[];
            /** @description Where the next page begins: `?after=`. None on the last one. */
            next?: string | null;
            /** @description How many there are on all pages. */
            total: number;
        };
        /** @description A page of a list, and how fresh it is. */
        List_OperationView: {
            /** @description How fresh what each cloud has is. */
            clouds: components["schemas"]["Freshness"][];
            items: (components["schemas"]["OperationRow"] & {
                by?: components["schemas"]["By"] | null;
                /** @description The job that it belongs to, at this node. */
                job?: string | null;
            })[];
            /** @description Where the next page begins: `?after=`. None on the last one. */
            next?: string | null;
            /** @description How many there are on all pages. */
            total: number;
        };
        /** @description Who asks. */
        Me: {
            /** @description The caller: the node, its user, its tags, and the rights that it has by the tailnet's policy and by `kolaboree.yaml`. */
            caller: Record<string, never>;
            /** @description Actions that the page asks about before they are done. */
            confirm: string[];
            /** @description Whether the caller is a fixed one, for development. */
            development: boolean;
            /** @description Templates of links to elsewhere, by their names; `{cloud}`, `{project}` and `{instance}` stand for those. */
            links: {
                [key: string]: string;
            };
            /** @description The number of the page's build. A page that has another one is to be loaded anew. */
            page: string;
            /** @description The version of this node. */
            version: string;
        };
        /** @description Settings that are to be others. */
        NewConfig: {
            /** @description By their keys; null unsets one. */
            config: {
                [key: string]: string | null;
            };
        };
        /** @description A copy that is to be made. */
        NewCopy: {
            /** @description Passes over files that change meanwhile. */
            allow_inconsistent?: boolean;
            /** @description The cloud that it goes to. The caller may edit in the project there, too. */
            cloud: string;
            /** @description Settings that differ from those of the source. */
            config?: {
                [key: string]: string;
            };
            /** @description Settings of devices that differ. */
            devices?: components["schemas"]["BTreeMap"];
            /** @description Without the snapshots. */
            instance_only?: boolean;
            /** @description The member of the cluster there. */
            member?: string | null;
            /** @description How its bytes travel between clouds: `auto` takes the first way that works, and a copy by `relay` goes through this node. */
            mode?: components["schemas"]["CopyMode"];
            /** @description Its name there. Without: that of the source. */
            name?: string | null;
            /** @description The pool of its root disk. */
            pool?: string | null;
            /** @description Its profiles. Without: those of the source. */
            profiles?: string[] | null;
            /** @description The project that it goes to. */
            project: string;
            /** @description Brings an instance that is there up to date. */
            refresh?: boolean;
            /** @description A snapshot of the instance, instead of the instance itself. */
            snapshot?: string | null;
            /** @description Without the state of what runs. */
            stateless?: boolean;
        };
        /** @description What is to be made in an instance. */
        NewFile: (components["schemas"]["NewOwner"] & {
            /** @enum {string} */
            kind: "file";
        }) | (components["schemas"]["NewOwner"] & {
            /** @enum {string} */
            kind: "folder";
        }) | (components["schemas"]["NewOwner"] & {
            /** @description Where it leads, as it is to be written. */
            target: string;
        } & {
            /** @enum {string} */
            kind: "symlink";
        });
        /** @description An image that is to be made of an instance. */
        NewImage: {
            aliases?: string[];
            /** @description Stop an instance that runs, and start it again. */
            force?: boolean;
            /** @description The instance, which has to be stopped. */
            instance: string;
            /** @description Whether strangers may have it. */
            public?: boolean;
            /** @description Take over aliases that are there, and delete the images that had them. */
            reuse?: boolean;
            /** @description A snapshot of it, instead of the instance itself. */
            snapshot?: string | null;
        };
        /** @description A copy of an image that is to be made. */
        NewImageCopy: {
            /** @description Its names there; ones that other images have go over to this one. */
            aliases?: string[];
            /** @description The cloud that it goes to. The caller may edit in the project there, too. */
            cloud: string;
            /** @description Its own names too. */
            copy_aliases?: boolean;
            /** @description How its bytes travel: `auto` takes the first way that works. */
            mode?: components["schemas"]["CopyMode"];
            /** @description The project that it goes to. */
            project: string;
        };
        /** @description An instance that is to be made. */
        NewInstance: {
            config?: {
                [key: string]: string;
            };
            description?: string;
            devices?: components["schemas"]["BTreeMap"];
            /** @description To be deleted when it stops. */
            ephemeral?: boolean;
            /** @description Limits by the name of an offer, such as `t2.micro`. */
            instance_type?: string | null;
            /** @description Its name. Without one the server chooses it. */
            name?: string;
            /** @description The network for its interface `eth0`. */
            network?: string | null;
            /** @description What it is made of. */
            origin: components["schemas"]["NewOrigin"];
            /** @description The pool for its root disk. */
            pool?: string | null;
            /** @description Its profiles, in this order. Without: `default`. */
            profiles?: string[] | null;
            /** @description It is started too. One that does not start stays, so that its log can be read. */
            start?: boolean;
            /** @description A virtual machine; else as the image is. */
            virtual_machine?: boolean;
        };
        /** @description Another name. */
        NewName: {
            name: string;
        };
        /** @description What an instance is made of. */
        NewOrigin: {
            /** @description An image of the cloud, by an alias or the begin of a fingerprint. */
            image: string;
        } | {
            /** @description An image of an image server, which the cloud fetches by its own network. */
            server: {
                image: string;
                /** @description `simplestreams`, `lxd` or `incus`. */
                protocol: string;
                url: string;
            };
        } | {
            /** @description Nothing: `{"empty": true}`. */
            empty: boolean;
        };
        /** @description Whose it is to be. */
        NewOwner: {
            /**
             * Format: int32
             * @description The group's number; else root.
             * @default null
             */
            gid: number | null;
            /**
             * @description Makes the folders above it that are not there.
             * @default false
             */
            parents: boolean;
            /**
             * Format: int32
             * @description The owner's number; else root.
             * @default null
             */
            uid: number | null;
        };
        /** @description What is to have another path. */
        NewPath: {
            /** @description The absolute path of a file, a link or a folder. A link itself is moved. */
            from: string;
            /** @description In the place of a file or link that is there. */
            replace?: boolean;
            /** @description The absolute path that it is to have, its name with it. */
            to: string;
        };
        /** @description How the state of an instance is to change. */
        NewState: {
            action: components["schemas"]["StateAction"];
            /** @description Without waiting for what runs in it to end. */
            force?: boolean;
            /** @description Keeps what runs for the next start; a start without it forgets what was kept. */
            stateful?: boolean | null;
            /**
             * Format: int32
             * @description How many seconds what runs in it gets to end.
             */
            timeout?: number | null;
        };
        /** @description The same for many instances. */
        NewStates: {
            /** @description Which, up to 1,000. */
            instances: components["schemas"]["InstanceKey"][];
            state: components["schemas"]["NewState"];
        };
        /** @description How this node is. */
        NodeView: {
            exit_node?: components["schemas"]["ExitNode"] | null;
            /** @description What Tailscale's health checks warn of. */
            health: string[];
            /**
             * Format: int64
             * @description When the node's key expires, in seconds since 1970.
             */
            key_expires?: number | null;
            /** @description Whether it has joined, and every required cloud is reachable. */
            ready: boolean;
            /** @description Why it is not ready. */
            reasons: string[];
            /** @description What the node does in the tailnet, such as `Running`. */
            state: string;
            /** @description The domain of the tailnet's MagicDNS names. */
            tailnet: string;
            /** @description The node itself. */
            this: components["schemas"]["Peer"];
            /**
             * Format: int64
             * @description How long it has run, in seconds.
             */
            uptime: number;
            version: string;
        };
        /** @description An operation of a cloud. */
        OperationLink: {
            /** @description Where every node tells of it. */
            href: string;
            id: string;
        };
        /** @description An operation of a server. */
        OperationRow: {
            /**
             * @description `task`, `websocket` or `token`.
             * @default
             */
            class: string;
            /** @default  */
            cloud: string;
            /** @default  */
            created_at: string;
            /** @default  */
            description: string;
            /**
             * @description Why it failed.
             * @default
             */
            error: string;
            /**
             * @description Its number, the server's own.
             * @default
             */
            id: string;
            /** @default  */
            location: string;
            /** @default false */
            may_cancel: boolean;
            /**
             * @description What the server says of its progress.
             * @default
             */
            progress: string;
            /** @default  */
            project: string;
            /**
             * @description What it works on: paths of endpoints.
             * @default []
             */
            resources: string[];
            /** @default  */
            status: string;
            /**
             * Format: int32
             * @description From 200 on it has ended, and 200 alone is success.
             * @default 0
             */
            status_code: number;
            /** @default  */
            updated_at: string;
        };
        /** @description An operation of a cloud, and who began it. */
        OperationView: components["schemas"]["OperationRow"] & {
            by?: components["schemas"]["By"] | null;
            /** @description The job that it belongs to, at this node. */
            job?: string | null;
        };
        /** @enum {string} */
        Outcome: "pass" | "warn" | "fail";
        /** @description What is done with one thing. */
        PartView: {
            /**
             * Format: int64
             * @description How many bytes have been moved.
             */
            bytes?: number;
            cloud: string;
            /** @description Such as `instances/web`. */
            object: string;
            /** @description The cloud's operations for it. */
            operations: components["schemas"]["OperationLink"][];
            problem?: components["schemas"]["Problem"] | null;
            project: string;
            /** @description What came of it, such as the name of what was made. */
            result?: Record<string, never>;
            /** @description What goes on, in the cloud's words. */
            stage?: string;
            status: components["schemas"]["Status"];
            /**
             * Format: int64
             * @description How many there are, where that is known.
             */
            total?: number | null;
        };
        /** @description A node of the tailnet. */
        Peer: {
            /** @description Its full MagicDNS name. */
            dns_name: string;
            /** @description Its addresses, IPv4 first. */
            ips: string[];
            /** @description Its short MagicDNS name. */
            name: string;
            /** @description Whether the control server hears from it. */
            online: boolean;
            /** @description How packets to it travel. */
            path: string;
            /**
             * Format: int64
             * @description Bytes that came from it.
             */
            received: number;
            /** @description The subnets that it routes. */
            routes: string[];
            /**
             * Format: int64
             * @description Bytes sent to it.
             */
            sent: number;
        };
        /** @description Why a request was refused, or failed: `application/problem+json`. */
        Problem: {
            /** @description Who asked, where the problem is about rights. */
            caller?: Record<string, never> | null;
            /** @description The cloud that it is about. */
            cloud?: string | null;
            /** @description The kind of problem, for programs. */
            code: components["schemas"]["Code"];
            /** @description What is wrong here. */
            detail: string;
            /** @description The grants that would let the caller in, to paste: for the tailnet's policy, and for `kolaboree.yaml`. */
            grant?: Record<string, never> | null;
            /** @description The node that it belongs to, where that is another one. */
            node?: string | null;
            /** @description What to do about it. */
            remedy?: string | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind of problem, for people. */
            title: string;
        };
        /**
         * @description What an image server speaks.
         * @enum {string}
         */
        Protocol: "simplestreams" | "lxd" | "incus";
        /** @description How fast an instance uses things. */
        Rates: {
            /**
             * Format: double
             * @description Of one processor.
             */
            cpu_percent: number;
            /**
             * Format: double
             * @description In bytes a second.
             */
            received: number;
            /**
             * Format: double
             * @description In bytes a second.
             */
            sent: number;
        };
        /** @description Records of the audit of one node, the newest first. */
        Records: {
            items: Record<string, never>[];
            /** @description Where the next page begins: `?after=`. None on the last one. */
            next?: string | null;
            /** @description The node whose audit it is, by its short MagicDNS name. Each node has its own. */
            node: string;
        };
        /** @description What a run of the doctor has found. */
        Report: {
            /** @description Without those of clouds that the caller may not see. */
            findings: components["schemas"]["Finding"][];
            /**
             * Format: int64
             * @description When it ended, in seconds since 1970; none before the first one.
             */
            ran_at?: number | null;
        };
        /** @description How an instance goes back to a snapshot. */
        Restore: {
            /**
             * @description With what ran then.
             * @default false
             */
            stateful: boolean;
        };
        /** @description What can be changed of an instance, in the order in which `lxc` shows it. */
        Settings: {
            /** @default  */
            architecture: string;
            /** @default {} */
            config: {
                [key: string]: string;
            };
            /** @default  */
            description: string;
            /** @default {} */
            devices: components["schemas"]["BTreeMap"];
            /** @default false */
            ephemeral: boolean;
            /** @default [] */
            profiles: string[];
            /** @default false */
            stateful: boolean;
        };
        /**
         * @description A stage of the way to a cloud's API.
         * @enum {string}
         */
        Stage: "netmap" | "tcp" | "tls" | "api" | "other";
        /**
         * @description What to do with an instance.
         * @enum {string}
         */
        StateAction: "start" | "stop" | "restart" | "freeze" | "unfreeze";
        /**
         * @description How a job is.
         * @enum {string}
         */
        Status: "running" | "done" | "failed" | "cancelled" | "partly";
        /** @description What an instance has used. */
        Used: {
            /** @description How fast, between each sample and the one before it. */
            rates: (components["schemas"]["Rates"] | null)[];
            /** @description During the last hour, oldest first, at a step of some minutes. */
            samples: components["schemas"]["InstanceUsage"][];
        };
        /** @description A backup that is to be made. */
        WantedBackup: {
            /**
             * @description `gzip`, `zstd`, `none` and so on. Without, the server chooses.
             * @default null
             */
            compression: string | null;
            /**
             * @description When the server deletes it, RFC 3339. Without, it stays until somebody does.
             * @default null
             */
            expires_at: string | null;
            /**
             * @description Without the instance's snapshots.
             * @default false
             */
            instance_only: boolean;
            /**
             * @description Its name. Without one the server chooses it.
             * @default null
             */
            name: string | null;
            /**
             * @description In the storage driver's own format, which only a pool of that driver can read.
             * @default false
             */
            optimized_storage: boolean;
        };
        /** @description A snapshot that is to be made. */
        WantedSnapshot: {
            /**
             * @description When the server deletes it, RFC 3339.
             * @default null
             */
            expires_at: string | null;
            /**
             * @description Its name. Without one the server chooses it.
             * @default null
             */
            name: string | null;
            /**
             * @description In the place of the one that has its name, which goes once the new one is there.
             * @default false
             */
            reuse: boolean;
            /**
             * @description With what runs in the instance.
             * @default false
             */
            stateful: boolean;
        };
        /** @description An instance with all its parts. */
        WholeInstance: {
            cloud?: components["schemas"]["Freshness"] | null;
            /**
             * @description As its server tells it now, with its settings, devices, state, snapshots and backups. None where the server does not
             *     answer; without what may be a secret where the caller may not edit.
             */
            instance?: Record<string, never> | null;
            /** @description Why its server tells nothing now. */
            problem?: string | null;
            row?: components["schemas"]["InstanceRow"] | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_audit: {
        parameters: {
            query?: {
                /** @description Such as `start`. */
                action?: string;
                /** @description The `next` of the page before. */
                after?: string;
                cloud?: string;
                /** @description How many records at the most, up to 1,000. Default: 200. */
                limit?: number;
                /** @description Of this node, by ID or full name. */
                node?: string;
                /** @description Such as `instances/web`. */
                object?: string;
                project?: string;
                /** @description `running`, `done`, `failed`, `cancelled`, `denied` or `unknown`. */
                result?: string;
                /** @description Of this user, by login name. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Records"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_clouds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CloudView"][];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_cloud: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name. */
                cloud: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CloudView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check_cloud: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name. */
                cloud: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CloudView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_cluster_members: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_operation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description Its number, the cloud's own. */
                operation: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_operation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description Its number, the cloud's own. */
                operation: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_projects: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import_backup: {
        parameters: {
            query?: {
                /** @description Its name. Without: the one in the backup. */
                name?: string;
                /** @description Its storage pool. Without: the one of the same name as before. */
                pool?: string;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upload_image: {
        parameters: {
            query?: {
                /** @description Its name. One that another image has goes over to it. */
                alias?: string;
                /** @description The name of its file, for people. */
                filename?: string;
                /** @description Whether strangers may have it. */
                public?: boolean;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import_image: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportedImage"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_images: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    publish_image: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewImage"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_image: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description An alias, or the begin of a fingerprint. */
                image: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    copy_image: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description An alias, or the begin of a fingerprint. */
                image: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewImageCopy"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_image: {
        parameters: {
            query?: {
                /** @description Of an image that is in two files: which one. */
                part?: "metadata" | "rootfs";
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description An alias, or the begin of a fingerprint. */
                image: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewInstance"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeInstance"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replace_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Settings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rename_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewName"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_instance: {
        parameters: {
            query?: {
                /** @description Also one that runs, which is stopped first. */
                force?: boolean;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    configure_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewConfig"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_backup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WantedBackup"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_backup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The backup. */
                backup: string;
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_backup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The backup. */
                backup: string;
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    console: {
        parameters: {
            query?: {
                /** @description How many bytes of it were seen. What it has shown since comes again. Default: 0. */
                after?: number;
                /** @description Default: 24. */
                height?: number;
                /** @description The session to come back to. */
                session?: string;
                /** @description Take it away from whoever has it at this node. */
                take?: boolean;
                /** @description The size of the terminal. Default: 80. */
                width?: number;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A websocket at the session. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    copy_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCopy"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exec: {
        parameters: {
            query: {
                /** @description How many bytes of it were seen. What it has shown since comes again. Default: 0. */
                after?: number;
                /** @description The program and its arguments: once for each, or one JSON array. Without: a login shell. */
                command: string[];
                /** @description The folder to run in. */
                cwd?: string;
                /** @description A variable of its environment, as `NAME=VALUE`. May come more than once. */
                env: string[];
                /** @description The group to run as, by number. Default: root's. */
                group?: number;
                /** @description Default: 24. */
                height?: number;
                /** @description The session to come back to. */
                session?: string;
                /** @description With a terminal. Default: true. */
                terminal?: boolean;
                /** @description The user to run as, by number. Default: root. */
                user?: number;
                /** @description The size of the terminal. Default: 80. */
                width?: number;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A websocket at the session. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_instance_files: {
        parameters: {
            query: {
                /** @description `tar`: what is there, a folder with all that is in it, as an archive. */
                archive?: "tar";
                /** @description The absolute path, such as `/etc/hosts`. Links are followed. */
                path: string;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Folder"];
                    "application/octet-stream": number[];
                };
            };
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_instance_files: {
        parameters: {
            query: {
                /** @description `tar`: the body is an archive. */
                archive?: "tar";
                /** @description The group's number. */
                gid?: number;
                /** @description The permissions of a file, such as `0644`. */
                mode?: string;
                /** @description Makes the folders above it that are not there. */
                parents?: boolean;
                /** @description The absolute path of the file; of the folder that an archive goes into. */
                path: string;
                /** @description The owner's number. Without: root, or as the file that is replaced; of an archive as it says. */
                uid?: number;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_instance_file: {
        parameters: {
            query: {
                /** @description The absolute path, such as `/etc/hosts`. */
                path: string;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewFile"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_instance_file: {
        parameters: {
            query: {
                /** @description The absolute path. A link itself is deleted. */
                path: string;
                /** @description A folder with everything in it. */
                recursive?: boolean;
            };
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    move_instance_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPath"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_instance_logs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_instance_log: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The log's name. */
                log: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    move_instance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCopy"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_snapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WantedSnapshot"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rename_snapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
                /** @description The snapshot. */
                snapshot: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewName"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_snapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
                /** @description The snapshot. */
                snapshot: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restore_snapshot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
                /** @description The snapshot. */
                snapshot: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Restore"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_instance_state: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewState"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_instance_usage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The instance. */
                instance: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Used"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_networks: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_profiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_volumes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
                /** @description The project. */
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_storage_pools: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_warnings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>[];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_doctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    run_doctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                /** @description The `id` of the last event that was seen. A browser that connects again says it by itself (`Last-Event-ID`). */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_instances: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description Of these clouds. */
                cloud?: string;
                /** @description The settings too, without those that may be secrets where the caller may not edit. */
                config?: boolean;
                /** @description The other way round. */
                descending?: boolean;
                /** @description How many items at the most, up to 1,000. Default: 200. */
                limit?: number;
                /** @description On these members of a cluster. */
                location?: string;
                /** @description Somebody looks at the instances of this page: their state is read soon, and kept fresh for some minutes. */
                look?: boolean;
                /** @description With one of these profiles. */
                profile?: string;
                /** @description Of these projects. */
                project?: string;
                /** @description With this text in the name, the description or an address, in upper or lower case. */
                q?: string;
                /** @description In the order of this. */
                sort?: "place" | "name" | "status" | "type" | "location" | "created_at" | "last_used_at" | "memory" | "disk" | "cpu" | "processes" | "snapshots";
                /** @description With one of these statuses, such as `running`, in upper or lower case. */
                status?: string;
                /** @description `container` or `virtual-machine`. */
                type?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description For If-None-Match. */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_InstanceRow"];
                };
            };
            /** @description As If-None-Match says, the asker has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_instance_states: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewStates"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"][];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its number. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its number. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_node: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_peers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Peer"][];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_operations: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description Of these clouds. */
                cloud?: string;
                /** @description How many items at the most, up to 1,000. Default: 200. */
                limit?: number;
                /** @description Of these projects. */
                project?: string;
                /** @description `true`: those that go on; `false`: those that have ended. */
                running?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_OperationView"];
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    node_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cloud_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cloud. */
                cloud: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": string;
                };
            };
            /** @description It was refused, or it failed. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
