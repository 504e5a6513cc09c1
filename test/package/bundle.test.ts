/** Every sub-path bundles for the browser, alone, and a client's bundle has no KMS in it. */
import { beforeAll, describe, expect, it } from "vitest";
import packages from "../../tools/packages.json" with { type: "json" };
import { type Bundle, bundle } from "../support/bundle.ts";

/** Sources of the packages' entries, and of the workers that they start. */
const ENTRIES = packages
  .flatMap(({ entries }) => Object.values<string>(entries))
  .concat("bindings/pool/worker.ts", "bindings/pool/kms-worker.ts");

/** Servers, and files whose name says it. */
const isNodeOnly = (path: string) => /^(store|roles\/kms|roles\/gms|roles\/mcx)\/|-node\.ts$/.test(path);

/** A text that only KMS code has. */
const MARK = "mikey-sakke KMS ECCSI v";
const KMS = ["bindings/kms.ts", "bindings/pool/kms.ts", "bindings/pool/kms-worker.ts"];

describe.each(ENTRIES.filter((entry) => !isNodeOnly(entry)))("the browser bundle of %s", (entry) => {
  let made: Bundle;

  beforeAll(async () => {
    made = await bundle({ out: entry });
  });

  it("needs nothing that only Node.js has", () => {
    // esbuild refuses to bundle node:* for a browser; what it took must be known.
    const known =
      /^(base|bindings|transport|documents|roles\/(?:identity|group-keys|call|client)|node_modules)\//;
    expect(made.sources.filter((from) => !known.test(from) || isNodeOnly(from))).toEqual([]);
    expect(made.sources).toContain("base/errors.ts");
  });

  if (KMS.includes(entry)) return;
  it("holds no KMS code", () => {
    expect(made.sources).not.toContain("bindings/kms.ts");
    expect(made.text.out).not.toContain(MARK);
  });
});

/** It would bundle, since libxml2 is WebAssembly; by its size it is for servers. */
const LIBXML2 = "documents/kms-xml/schema/validate-node.ts";
/** It needs no more than `fetch`; what it manages is no business of pages. */
const GMS_ADMIN = "roles/gms/admin/client.ts";

describe.each(ENTRIES.filter((entry) => isNodeOnly(entry) && ![LIBXML2, GMS_ADMIN].includes(entry)))(
  "the bundle of %s",
  (entry) => {
    it("needs Node.js", async () => {
      await expect(bundle({ out: entry })).rejects.toThrow(/Could not resolve "node:/);
    });
  },
);

it("the client's bundle contains what a client needs", async () => {
  const { sources } = await bundle({ out: "roles/identity/index.ts" });
  expect(sources).toContain("roles/identity/provisioner.ts");
  expect(sources).toContain("roles/identity/indexeddb-storage.ts");
  expect(sources).toContain("documents/xml-signature/verify.ts");
});

it("the group client's bundle contains delivery over SIP and over HTTP", async () => {
  const { sources } = await bundle({ out: "roles/group-keys/index.ts" });
  // The endpoint is the host's, as are its sockets.
  expect(sources).not.toContain("transport/sip/endpoint.ts");
  expect(sources).toContain("roles/group-keys/subscription-loop.ts");
  expect(sources).toContain("documents/group-xml/gktp.ts");
  expect(sources).toContain("roles/group-keys/fetcher.ts");
});

it("the bundle without the validator of KMS documents has no libxml2", () => {
  expect(ENTRIES).toContain(LIBXML2);
  expect(isNodeOnly(LIBXML2)).toBe(true);
});

it("the KMS bundle contains the KMS code that is searched for elsewhere", async () => {
  const made = await bundle({ out: "bindings/kms.ts" });
  expect(made.sources).toContain("bindings/kms.ts");
  expect(made.text.out).toContain(MARK);
});
