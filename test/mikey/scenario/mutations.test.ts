/** No octet of a message may change: all of it is signed, and the octets of the signature are checked too. */
import { beforeAll, describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { GMK_PROFILE } from "../../../bindings/mikey/srtp-profile.ts";
import { seededRandom } from "../../support/random.ts";
import { makeWorld, type World } from "../../support/world.ts";

/** About half a minute; MUTATIONS=4000 for a quick run. */
const RUNS = Number(process.env.MUTATIONS ?? 100_000);

let world: World;
let messages: Uint8Array[];

beforeAll(async () => {
  world = await makeWorld();
  const srtp = { sessions: [{ csId: 4 }], parameters: GMK_PROFILE };
  const requests = [{}, { srtp, hideInitiator: true, hideResponder: true, toSelf: true }];
  messages = await Promise.all(requests.map(async (r) => (await world.seal(r)).octets));
});

const context = () => world.context({ from: world.gms.uri });

/** The code of the refusal, or undefined when the message was accepted. */
async function refusal(octets: Uint8Array): Promise<unknown> {
  try {
    await openMessage(octets, context());
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("mutations of messages", () => {
  it("start from messages that are accepted as sealed", async () => {
    for (const octets of messages) expect(await refusal(octets)).toBeUndefined();
  });

  it(`of one octet or of the length are refused by a numbered check, in time (${RUNS} of them)`, {
    timeout: 600_000,
  }, async () => {
    const random = seededRandom("mutations");
    const below = (limit: number) => new DataView(random(4).buffer).getUint32(0) % limit;
    const limit = 1.5 * (await fastest(5, () => refusal(messages[0]!)));
    for (let run = 0; run < RUNS; run++) {
      const octets = messages[run % messages.length]!;
      const at = below(octets.length);
      const name = `message ${run % messages.length}, octet ${at}`;
      const mutant = MUTATIONS[below(8)]!(octets, at, below(255) + 1);
      const start = performance.now();
      const error = await refusal(mutant);
      const slow = performance.now() - start > limit;
      if (!(error instanceof MikeySakkeError) || !(error.check! > 0)) throw new Error(name, { cause: error });
      // A pause of the host is not the message's fault: what is slow must be slow each time.
      if (slow) expect(await fastest(5, () => refusal(mutant)), name).toBeLessThan(limit);
    }
  });
});

/** Milliseconds of the fastest of some runs. */
async function fastest(runs: number, step: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await step();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

type Mutation = (octets: Uint8Array, at: number, value: number) => Uint8Array;

const change: Mutation = (octets, at, value) => {
  const out = octets.slice();
  out[at]! ^= value;
  return out;
};
const cut: Mutation = (octets, at) => octets.slice(0, at);
const remove: Mutation = (octets, at) => Uint8Array.of(...octets.subarray(0, at), ...octets.subarray(at + 1));
const insert: Mutation = (octets, at, value) =>
  Uint8Array.of(...octets.subarray(0, at), value, ...octets.subarray(at));
const append: Mutation = (octets, _at, value) => Uint8Array.of(...octets, value);

const MUTATIONS: Mutation[] = [change, change, change, change, cut, remove, insert, append];
