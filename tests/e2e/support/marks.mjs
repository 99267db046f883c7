// Every process that a test starts carries a mark in its environment, which its children inherit: so all that it left
// behind can be found and ended, and nothing else.

import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";

const name = "HUBLET_E2E";
const open = new Set();

/** A new mark: `env` goes to the process that starts, `forget` is called when it is known to be gone. */
export function marked() {
  const mark = { value: randomUUID(), forget: () => open.delete(mark) };
  mark.env = { [name]: mark.value };
  open.add(mark);
  return mark;
}

/** The living processes of a mark, as `{ id, command }`. A zombie has no environment, and is not among them. */
export function alive(mark) {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((id) => read(id, "environ").split("\0").includes(`${name}=${mark.value}`))
    .map((id) => ({ id: Number(id), command: read(id, "cmdline").replaceAll("\0", " ").trim() }));
}

function read(id, file) {
  try {
    return readFileSync(`/proc/${id}/${file}`, "utf8");
  } catch {
    return ""; // it ended just now, or is somebody else's
  }
}

/** Sends a signal to all processes of a mark. */
export function end(mark, signal) {
  for (const { id } of alive(mark)) {
    try {
      process.kill(id, signal);
    } catch {
      // it has ended already
    }
  }
}

// However this process ends, what it started ends with it.
process.on("exit", () => {
  for (const mark of open) end(mark, "SIGKILL");
});
for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
]) {
  process.on(signal, () => process.exit(128 + number)); // not once: a second signal must not cut the above short
}
