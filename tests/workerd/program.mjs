// What is watched of the program of the worker: how large its memory is, and how often it and JavaScript call each other,
// each of which costs about as much as the work of most answers. What makes instances is replaced here before the worker
// is loaded, which knows nothing of it. The last instance is the one that works.

let memories = [];
let calls = 0;

/** The same functions, which count their calls. */
const counting = (functions) =>
  Object.fromEntries(
    Object.entries(functions).map(([name, one]) => [
      name,
      typeof one === "function"
        ? (...words) => {
            calls += 1;
            return one(...words);
          }
        : one,
    ]),
  );

const { Instance } = WebAssembly;
// biome-ignore lint/complexity/useArrowFunction: it is called with `new`
WebAssembly.Instance = function (module, imports) {
  const counted = Object.fromEntries(Object.entries(imports).map(([name, functions]) => [name, counting(functions)]));
  const { exports } = new Instance(module, counted);
  memories = Object.values(exports).filter((one) => one instanceof WebAssembly.Memory);
  return { exports: counting(exports) };
};

/** Its bytes. */
export const memory = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

/** Calls between the program and JavaScript, in both directions, since it was loaded. */
export const crossings = () => calls;
