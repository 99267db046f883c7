// An index together with the v1 registry that it names, and people who work with both.

import { DockerV1, generations, makeImages } from "./docker-v1.mjs";
import { startIndex } from "./index.mjs";
import { RegistryV1 } from "./registry-v1.mjs";

/** The client that people use where the generation does not matter. */
const usual = generations.find(({ name }) => name === "docker 1.6.2");

/** Starts both; `vars` are settings of the index. */
export async function startHub({ vars = {} } = {}) {
  const registry = await RegistryV1.listen();
  const index = await startIndex({ vars: { REGISTRY: registry.host, ...vars } }).catch(async (error) => {
    await registry.close();
    throw error;
  });
  registry.index = index.address;
  const client = (user, generation = usual) => new DockerV1(generation, index.address, user);
  return {
    host: index.host,
    registry,
    client,
    /** Registers a user: `{ name, password }`. */
    async join(name) {
      const user = { name, password: `password of ${name}` };
      await client(user).login(`${name}@example.com`);
      return user;
    },
    /** Pushes two images into a repository of a user's; gives its full name. */
    async push(user, name) {
      const repository = `${user.name}/${name}`;
      await client(user).push(repository, makeImages(repository), ["latest"]);
      return repository;
    },
    async stop() {
      await registry.close();
      await index.stop();
    },
  };
}
