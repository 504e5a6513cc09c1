import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KmsMaster, UserKeys } from "../../../bindings/kms.ts";
import type { IssueOptions, KmsPool } from "../../../bindings/pool/kms.ts";
import { seededRandom } from "../../support/random.ts";
import { createKmsPool, kms } from "./dist.ts";

describe.each([{ shared: true }, { shared: false }])("a KMS pool, shared memory: $shared", ({ shared }) => {
  let pool: KmsPool;
  let master: KmsMaster;

  beforeAll(async () => {
    pool = await createKmsPool({ workers: 2, shared });
    master = kms.KmsMaster.generate(pool.core, seededRandom("kms pool"));
  });
  afterAll(() => pool.destroy());

  const ids = (n: number) => Array.from({ length: n }, (_, i) => seededRandom(`id ${i}`)(32));
  const issue = async (n: number, options?: IssueOptions) => {
    const all: UserKeys[] = [];
    for await (const batch of pool.issueAll(master, ids(n), options)) all.push(...batch);
    return all;
  };

  it.each([0, 1, 2, 63, 64, 65, 300])("issues the keys of %i users as without a pool", async (n) => {
    expect(await issue(n)).toEqual(master.issueBatch(ids(n)));
  });

  it("reports its progress", async () => {
    const seen: number[] = [];
    await issue(40, { batchSize: 10, onProgress: (issued) => seen.push(issued) });
    expect(seen).toEqual([10, 20, 30, 40]);
  });

  it("stops when told to, and goes on with the next job", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const options = { batchSize: 4, signal: controller.signal, onProgress: () => controller.abort(reason) };
    await expect(issue(100, options)).rejects.toBe(reason);
    expect(await issue(3)).toEqual(master.issueBatch(ids(3)));
  });

  it("refuses identifiers as without a pool", async () => {
    const issuing = pool.issueAll(master, [new Uint8Array(0)]).next();
    await expect(issuing).rejects.toMatchObject({ kind: "usage", code: "WRONG_LENGTH" });
  });

  it("copies secrets that come in a Node.js Buffer", async () => {
    const { z, ksak } = master.exportSecrets();
    const given = { z: Buffer.from(z), ksak: Buffer.from(ksak) };
    const second = kms.KmsMaster.load(pool.core, given);
    const issued = await pool.issueAll(second, ids(2)).next();
    second.destroy();
    expect(issued.value).toEqual(master.issueBatch(ids(2)));
    expect(given.z.equals(z)).toBe(true);
    expect(given.ksak.equals(ksak)).toBe(true);
  });

  it("leaves no master secret in memory", async () => {
    await issue(20);
    const { z, ksak } = master.exportSecrets();
    const memory = Buffer.from(new Uint8Array(pool.core.memory.buffer));
    expect(memory.includes(Buffer.from(z))).toBe(false);
    expect(memory.includes(Buffer.from(ksak))).toBe(false);
  });
});
