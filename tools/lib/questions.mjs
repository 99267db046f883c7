// Questions to the person at the terminal.

import { createInterface } from "node:readline/promises";
import { Failure } from "./steps.mjs";

/** Whether there is a person to ask. A CI may have a terminal, and nobody at it. */
export const attended = () => Boolean(process.stdin.isTTY && process.stdout.isTTY && !process.env.CI);

/**
 * Does `work(ask)`. `ask(words, read)` asks until `read` takes the answer, and returns what `read` returns; where it
 * throws a Failure, the answer is refused with its message. Ctrl-C and Ctrl-D are a Failure.
 */
export async function questions(work) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new Promise((resolve) => terminal.once("close", resolve));
  const answer = async (words) => {
    const typed = terminal.question(`${words}: `).catch((error) => {
      if (error.name !== "AbortError") throw error; // as Node calls Ctrl-C
    });
    const text = await Promise.race([typed, closed]);
    if (typeof text === "string") return text;
    console.log(); // the cursor is after the question
    throw new Failure("stopped");
  };
  const ask = async (words, read) => {
    for (;;) {
      const text = (await answer(words)).trim();
      try {
        return await read(text);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        console.log(error.message);
      }
    }
  };
  try {
    return await work(ask);
  } finally {
    terminal.close();
  }
}

/** Reads an answer that is one of these words, or empty for the first of them. */
export const oneOf = (words) => (text) => {
  const word = text.toLowerCase() || words[0];
  if (!words.includes(word)) throw new Failure(`one of: ${words.join(", ")}`);
  return word;
};
