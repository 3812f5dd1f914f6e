// Chromium, Firefox, aiortc and GStreamer each complete a call in both roles: clients/calls.mjs, run inside a network of its own
// (Firefox is driven over 127.0.0.1 of the network it lives in). The tests there report to whoever runs this file.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { network } from "./clients/network.mjs";

const calls = path.join(path.dirname(fileURLToPath(import.meta.url)), "clients/calls.mjs");
const n = network();
const env = { ...process.env, JEDEL_CLIENTS_ADDRESS: n.address ?? "", JEDEL_CLIENTS_SKIP: n.why };
const way = n.why ? [process.execPath, calls] : ["ip", "netns", "exec", n.ns, process.execPath, calls];
const { status } = spawnSync(way[0], way.slice(1), { stdio: "inherit", env });
n.end();
process.exit(status ?? 1);
