// A network of its own for a test: a namespace with a wire whose address is not loopback. Firefox sends nothing
// to 127.0.0.1, libnice does not either, and both want a default route.
import { execFileSync } from "node:child_process";

const run = (...a) => execFileSync(a[0], a.slice(1), { stdio: ["ignore", "pipe", "pipe"] }).toString();

/** Makes the namespace; why says that this machine does not give the rights for it. */
export function network() {
  const ns = `jedelc${process.pid % 100000}`;
  const net = `10.${128 + (process.pid % 64)}.${(process.pid >> 6) % 250}`;
  const end = () => {
    try {
      run("ip", "netns", "del", ns);
    } catch {
      // It was never made.
    }
  };
  try {
    run("ip", "netns", "add", ns);
    run("ip", "-n", ns, "link", "set", "lo", "up");
    run("ip", "-n", ns, "link", "add", "wire", "type", "veth", "peer", "name", "far");
    run("ip", "-n", ns, "addr", "add", `${net}.2/24`, "dev", "wire");
    for (const dev of ["wire", "far"]) run("ip", "-n", ns, "link", "set", dev, "up");
    run("ip", "-n", ns, "route", "add", "default", "via", `${net}.1`);
    return { ns, address: `${net}.2`, why: "", end };
  } catch (e) {
    end();
    return { why: `no network of its own can be made here: ${String(e.stderr ?? e.message).trim()}`, end };
  }
}
