// How large the memory of the worker is: what makes instances is watched here before the worker is loaded, which knows
// nothing of it.

const memories = [];
const { Instance } = WebAssembly;
// biome-ignore lint/complexity/useArrowFunction: it is called with `new`
WebAssembly.Instance = function (...words) {
  const instance = new Instance(...words);
  memories.push(...Object.values(instance.exports).filter((one) => one instanceof WebAssembly.Memory));
  return instance;
};

/** Bytes of all memories. */
export const memory = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
