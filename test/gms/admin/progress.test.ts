/** A rekey that is followed, over a socket. */

import { beforeEach, describe, expect, it } from "vitest";
import { gmsAdminClient } from "../../../roles/gms/admin/client.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import type { RekeyRecord } from "../../../store/gms/records.ts";
import { acknowledge, sealAll } from "../memory-gms.ts";
import { OPERATOR_TOKEN, sharedAdminWorld } from "./admin-api.ts";

const world = sharedAdminWorld();
const [A, B] = ["sip:a@home.example", "sip:b@home.example"] as const;
let count = 0;
let rekey: RekeyRecord;
beforeEach(async () => {
  const uri = `sip:group${++count}@home.example`;
  const members = [{ uri: A }, { uri: B }];
  [rekey] = (await world.it.operator.createGroup(operator("operator"), { uri, members })).rekeys as [
    RekeyRecord,
  ];
});

const countsOf = ({ counts }: RekeyRecord) =>
  Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));

describe("progress of a rekey", () => {
  it("comes line by line, until the rekey has ended", async () => {
    const seen = world.it.operator.progress(rekey.id);
    const next = async () => (await seen.next()).value as RekeyRecord;
    expect(countsOf(await next())).toEqual({ planned: 2 });
    await sealAll(world.it.core);
    expect(countsOf(await next())).toEqual({ sealed: 2 });
    // Another process would do it like this: nobody tells this one.
    await acknowledge(world.it.world, rekey.id, [A]);
    expect(countsOf(await next())).toEqual({ sealed: 1, acknowledged: 1 });
    await acknowledge(world.it.world, rekey.id, [B]);
    const last = await next();
    expect(last).toMatchObject({ state: "done", finishedAt: world.it.world.now() });
    expect((await seen.next()).done).toBe(true);
  });

  it("is one line when the rekey has ended before", async () => {
    await sealAll(world.it.core);
    await acknowledge(world.it.world, rekey.id);
    const lines: RekeyRecord[] = [];
    for await (const line of world.it.operator.progress(rekey.id)) lines.push(line);
    expect(lines).toMatchObject([{ state: "done" }]);
  });

  it("is an error when the rekey does not exist", async () => {
    const seen = world.it.operator.progress(999_999);
    await expect(seen.next()).rejects.toMatchObject({ kind: "usage", code: "REKEY_UNKNOWN" });
  });

  it("ends with the signal, and leaves no listener behind", async () => {
    const stop = new AbortController();
    const seen = world.it.operator.progress(rekey.id, { signal: stop.signal });
    await seen.next();
    stop.abort(new Error("enough"));
    await expect(seen.next()).rejects.toThrow("enough");
  });

  it("is given to a limited number at a time, and again when some have left", async () => {
    const stop = new AbortController();
    const open = Array.from({ length: 64 }, () =>
      world.it.operator.progress(rekey.id, { signal: stop.signal }),
    );
    await Promise.all(open.map((one) => one.next()));
    await expect(world.it.operator.progress(rekey.id).next()).rejects.toMatchObject({ code: "BUSY" });
    stop.abort();
    await Promise.allSettled(open.map((one) => one.next()));
    await expect
      .poll(async () => {
        const again = world.it.operator.progress(rekey.id);
        const first = await again.next().catch(() => undefined);
        await again.return(undefined);
        return first !== undefined;
      })
      .toBe(true);
  });

  it("is an error when it breaks off", async () => {
    const half = async () => new Response(`${JSON.stringify({ rekey })}\n`, { status: 200 });
    const client = gmsAdminClient({ url: world.it.url, token: OPERATOR_TOKEN, fetch: half as typeof fetch });
    const seen = client.progress(rekey.id);
    await seen.next();
    await expect(seen.next()).rejects.toMatchObject({ code: "ADMIN_FAILED" });
  });
});

it("closing the server ends the progress that is followed", async () => {
  const seen = world.it.operator.progress(rekey.id);
  await seen.next();
  const closed = world.it.app.close();
  await expect(seen.next()).rejects.toMatchObject({ code: "ADMIN_FAILED" });
  await closed;
});
