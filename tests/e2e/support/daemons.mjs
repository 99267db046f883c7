// Programs that run until a test ends them: started, awaited, and ended with the check that nothing of them is left.

import { spawn } from "node:child_process";
import net from "node:net";
import { alive, end, marked } from "./marks.mjs";
import { environment, find } from "./programs.mjs";
import { pause } from "./time.mjs";

/**
 * Starts a program and waits until it is ready: `ready` is asked again and again, with all that the program printed so
 * far, until it gives something, which becomes `answer`. `stop` fails where the program did not end, or left something.
 */
export async function start(
  program,
  args,
  { ready, limit = 30_000, grace = 20_000, env = {}, bare = environment, ...options },
) {
  const mark = marked();
  const child = spawn(find(program) ?? program, args, {
    ...options,
    env: { ...bare, ...env, ...mark.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a Ctrl-C at the terminal comes to it from us, not twice
  });
  const daemon = {
    log: "",
    answer: undefined,
    processes: () => alive(mark),
    stop: (signal = "SIGTERM") => stop(program, child, ended, mark, grace, signal),
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (daemon.log += text));
  }
  let over = false;
  const ended = new Promise((resolve) => child.on("exit", resolve).on("error", resolve)).then(() => (over = true));

  const latest = performance.now() + limit;
  try {
    for (;;) {
      daemon.answer = await ready(daemon.log);
      if (daemon.answer !== undefined) return daemon;
      if (over) throw new Error(`${program} ended\n${daemon.log}`);
      if (performance.now() > latest) throw new Error(`${program} was not ready after ${limit} ms\n${daemon.log}`);
      await pause(50);
    }
  } catch (error) {
    end(mark, "SIGKILL");
    throw error;
  }
}

// The signal goes to the one process that was started: what that started, it has to end by itself.
async function stop(program, child, ended, mark, grace, signal) {
  child.kill(signal);
  const inTime = await Promise.race([ended, pause(grace, { background: true }).then(() => false)]);
  const left = inTime ? await survivors(mark) : alive(mark);
  end(mark, "SIGKILL");
  mark.forget();
  const names = left.map(({ id, command }) => `\n  ${id} ${command}`).join("");
  if (!inTime) throw new Error(`${program} did not end within ${grace} ms of ${signal}${names}`);
  if (left.length) throw new Error(`${program} ended and left behind${names}`);
}

// The kernel may take a moment with a process that is ending.
async function survivors(mark) {
  for (let attempt = 0; attempt < 20 && alive(mark).length; attempt += 1) await pause(50);
  return alive(mark);
}

/** A port of 127.0.0.1 on which nobody listens now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
