// What the doctor says: a mark, words, and the cure.

/** @typedef {{ mark: string, words: string, cure?: string }} Remark */

/** @type {(words: string) => Remark} */
export const well = (words) => ({ mark: "✓", words });

/** @type {(words: string, cure?: string) => Remark} */
export const doubt = (words, cure) => ({ mark: "!", words, cure });

/** @type {(words: string, cure?: string) => Remark} */
export const wrong = (words, cure) => ({ mark: "✗", words, cure });
