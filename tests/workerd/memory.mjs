// How large the memory of the worker is: what makes instances is watched here before the worker is loaded, which knows
// nothing of it. The last instance is the one that works.

let memories = [];
const { Instance } = WebAssembly;
// biome-ignore lint/complexity/useArrowFunction: it is called with `new`
WebAssembly.Instance = function (...words) {
  const instance = new Instance(...words);
  memories = Object.values(instance.exports).filter((one) => one instanceof WebAssembly.Memory);
  return instance;
};

/** Its bytes. */
export const memory = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
