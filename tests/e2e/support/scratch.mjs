// Folders for one run, in the temporary directory of the system; gone when the process ends.

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import "./marks.mjs"; // first ends what may still write into them

const folders = [];

/** A new empty folder. Its path is short, since the path of a socket has at most 107 bytes. */
export function scratch() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "hublet-"));
  folders.push(folder);
  return folder;
}

process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});
