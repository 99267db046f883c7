// The secrets of the deployed worker: their names can be read, their values only set.

import { Failure } from "./steps.mjs";
import { wrangler } from "./wrangler.mjs";

/** Names of the secrets that the deployed worker has; nothing where it was never deployed. */
export async function secretNames() {
  try {
    return JSON.parse(await cloudflare(["secret", "list"])).map(({ name }) => name);
  } catch (error) {
    if (/Worker "[^"]*" not found|code: 10007/.test(error.output)) return null;
    throw error;
  }
}

/** Sets secrets, all by one call. They go through a pipe: no other process can read them, no file keeps them. */
export async function upload(secrets) {
  const said = await cloudflare(["secret", "bulk"], { input: JSON.stringify(secrets) });
  // wrangler ends well even where it found nothing to do.
  const silent = Object.keys(secrets).filter((name) => !said.includes(name));
  if (silent.length) throw new Failure(`Cloudflare did not take ${silent.join(", ")}`, said);
}

/** wrangler, where it must be logged in. */
export async function cloudflare(args, options) {
  try {
    return await wrangler(args, options);
  } catch (error) {
    if (/CLOUDFLARE_API_TOKEN|logged in/.test(error.output))
      throw new Failure("log in to Cloudflare first: npx wrangler login");
    throw error;
  }
}
