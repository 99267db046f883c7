// On which TCP ports processes listen, as Linux tells it.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The `skip` of a test that asks. */
export const withoutProc = () => (process.platform === "linux" ? false : "skipped: only Linux says who listens where");

/** The addresses of all ports on which these processes listen: `{ ip, port }`. */
export function listening(processes) {
  const sockets = new Set(processes.flatMap(({ id }) => ofProcess(id)));
  return ["tcp", "tcp6"].flatMap((family) => {
    const rows = readFileSync(`/proc/net/${family}`, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((row) => row.trim().split(/\s+/));
    const open = rows.filter(([, , , state, , , , , , inode]) => state === "0A" && sockets.has(inode));
    return open.map(([, local]) => address(local));
  });
}

function ofProcess(id) {
  const folder = `/proc/${id}/fd`;
  try {
    return readdirSync(folder)
      .map((name) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${name}`))?.[1])
      .filter(Boolean);
  } catch {
    return []; // it ended, or closed it, just now
  }
}

/** The kernel writes each word of an address as a number of this machine, which is little-endian wherever this runs. */
function address(local) {
  const [ip, port] = local.split(":");
  const bytes = Buffer.from(ip, "hex");
  const words = bytes.length === 4 ? [...bytes.reverse()].join(".") : `[${ip}]`;
  return { ip: words, port: Number.parseInt(port, 16) };
}
