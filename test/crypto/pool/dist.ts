/** The package as it is published: workers are started from compiled files, so the pools are tested on those. */
const compiled = (path: string) =>
  import(/* @vite-ignore */ new URL(`../../../dist/bindings/${path}`, import.meta.url).href);

export const client = (await compiled("index.js")) as typeof import("../../../bindings/index.ts");
export const kms = (await compiled("kms.js")) as typeof import("../../../bindings/kms.ts");
export const { createPool, MAX_BATCH } = (await compiled(
  "pool/index.js",
)) as typeof import("../../../bindings/pool/index.ts");
export const { createKmsPool } = (await compiled(
  "pool/kms.js",
)) as typeof import("../../../bindings/pool/kms.ts");
