// What Cloudflare calls. The program behind it is WebAssembly: a panic ends it, and all that was in its memory. Every
// request that waits for it is then answered with 500, and a new program serves the next ones.
//
// Each call has a promise of its own: workerd lets no request wait for what belongs to another.

import * as program from "./index.js";

Error.stackTraceLimit = 100;

/** What ends each call that waits for the program. */
const waiting = new Set();

/** Whether an error has ended the program: a trap, a stack or a memory without room, or a call after either. */
const isFatal = (error) =>
  error instanceof WebAssembly.RuntimeError || error instanceof RangeError || error?.message === "Module terminated";

/** Ends the calls that wait, and starts the program again. */
function restart() {
  const ended = [...waiting];
  waiting.clear();
  for (const end of ended) end();
  program.__wbg_reset_state();
}

// A panic after an await happens in no call: the platform reports it here.
addEventListener("error", ({ error }) => {
  if (isFatal(error)) restart();
});

/** The result of a call during which the program ended. */
const ENDED = Symbol("ended");

/** Calls the program: its result, a promise of that, or `ENDED` in the place of either. */
function call(work) {
  let result;
  try {
    result = work();
  } catch (error) {
    if (!isFatal(error)) throw error;
    restart();
    return ENDED;
  }
  if (!(result instanceof Promise)) return result;
  return new Promise((resolve, reject) => {
    const end = () => resolve(ENDED);
    waiting.add(end);
    const over = (settle) => (value) => {
      waiting.delete(end);
      settle(value);
    };
    result.then(over(resolve), over(reject));
  });
}

/** The response, or a failure where there is none: the program has logged why, or a panic has. */
const answered = (response) =>
  response instanceof Response
    ? response
    : new Response('"The index failed, try again"', {
        status: 500,
        headers: {
          "Content-Type": "application/json",
          "X-Content-Type-Options": "nosniff",
          "Cache-Control": "no-store",
        },
      });

export default {
  fetch(request, env, context) {
    const response = call(() => program.fetch(request, env, context));
    return response instanceof Promise ? response.then(answered) : answered(response);
  },

  async scheduled(_controller, env, context) {
    const result = await call(() => program.scheduled(env, context));
    if (result === ENDED) throw new Error("a panic ended the scheduled run");
  },
};
