// What the doctor says: a mark, words, and the cure.

export const well = (words) => ({ mark: "✓", words });
export const doubt = (words, cure) => ({ mark: "!", words, cure });
export const wrong = (words, cure) => ({ mark: "✗", words, cure });
