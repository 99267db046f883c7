// Texts of strangers, as a terminal may print them.

/** What ends a line, commands a terminal, or turns and hides text. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Whether a text has any of that. */
export const hides = (text) => UNSEEN.test(text);

/** JSON in which all of that is written as its number. */
export function json(value) {
  const number = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(new RegExp(UNSEEN, "gu"), (odd) => odd.split("").map(number).join(""));
}

/** A text as it is, or as JSON where it has any of that. */
export const shown = (text) => (hides(text) ? json(text) : String(text));
