/**
 * Checks what the client under test does when its GMS refuses a SUBSCRIBE: overloaded, restarted, or with a token that
 * it no longer takes.
 */
import { type Answer, type AuthValue, RETRY_AFTER, WWW_AUTHENTICATE } from "../../../transport/sip/index.ts";
import { fail, known, must, type TestCase } from "../case.ts";
import type { RefusedSeen, SubscribeSeen } from "./gms.ts";
import type { ClientPeer } from "./peer.ts";
import { must200, subscribed, tokensOf } from "./subscribe-cases.ts";

/** A timer of the client may be that much ahead of ours. */
const EARLY_MS = 100;
const CHALLENGE: AuthValue = {
  scheme: "Bearer",
  params: new Map([
    ["realm", '"check"'],
    ["error", '"invalid_token"'],
  ]),
};

export const REFUSAL_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-076",
    title: "comes back after a 503 to a refresh, and not before the time in Retry-After is over",
    clause: "RFC 3261 20.33, 21.5.4",
    async run(peer) {
      subscribed(peer);
      const seconds = Math.max(1, Math.floor(peer.options.expires / 4));
      const headers: Answer["headers"] = (fields) => fields.set(RETRY_AFTER, { seconds, params: new Map() });
      const { refused, next } = await refuse(peer, `503, Retry-After: ${seconds}`, { status: 503, headers });
      must(refused.isRefresh, "a new SUBSCRIBE came in place of the refresh");
      const again = await next(1000 * seconds + peer.options.stepMs);
      if (again === undefined) fail("no SUBSCRIBE came after that");
      const after = again.at - refused.at;
      must(after >= 1000 * seconds - EARLY_MS, `the next SUBSCRIBE came after ${after / 1000} s`);
    },
  },
  {
    id: "MCC-077",
    title: "subscribes anew when the GMS does not know its subscription, as after a restart",
    clause: "RFC 6665 4.1.2.2, RFC 3261 12.2.1.2",
    async run(peer) {
      subscribed(peer);
      const answers = peer.gms.answers.all.length;
      const { refused, next } = await refuse(peer, "481", { status: 481 });
      must(refused.isRefresh, "a new SUBSCRIBE came in place of the refresh");
      const again = await next(peer.options.stepMs);
      if (again === undefined) fail("no new SUBSCRIBE came");
      must(!again.isRefresh, "the SUBSCRIBE after that was in the dialog which there is not any more");
      must200(await peer.next(peer.gms.answers, answers));
    },
  },
  {
    id: "MCC-078",
    title: "comes with a token again after a 401",
    clause: "RFC 8898 2.2, RFC 6750 3.1",
    async run(peer) {
      const subscription = subscribed(peer);
      const refusing = refuse(peer, "401, WWW-Authenticate: Bearer", {
        status: 401,
        headers: (fields) => fields.set(WWW_AUTHENTICATE, CHALLENGE),
      });
      await subscription.terminate("deactivated");
      const { next } = await refusing;
      const again = await next(peer.options.stepMs);
      if (again === undefined) fail("no SUBSCRIBE came after that");
      must(tokensOf(again).length > 0, "the SUBSCRIBE after that has no access token");
    },
  },
];

/** The SUBSCRIBE that was refused, and the wait for the next one. */
async function refuse(peer: ClientPeer, about: string, answer: Answer) {
  const { gms, options } = peer;
  const [from, taken] = [gms.refused.all.length, gms.subscribes.all.length];
  gms.refusal = answer;
  const wait = 1000 * options.expires + options.stepMs;
  const seen: RefusedSeen | undefined = await peer.next(gms.refused, from, undefined, wait);
  gms.refusal = undefined;
  const refused = known(seen, "MCC-073");
  peer.showSubscribe(refused);
  const exchange = peer.transcript.sent(about);
  const next = async (milliseconds: number): Promise<SubscribeSeen | undefined> => {
    const again = await peer.next(gms.subscribes, taken, undefined, milliseconds);
    exchange.received =
      again === undefined ? "nothing" : `SUBSCRIBE after ${(again.at - refused.at) / 1000} s`;
    return again;
  };
  return { refused, next };
}
