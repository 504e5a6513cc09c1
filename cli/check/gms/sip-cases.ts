/** The subscription to group keys over SIP (TS 33.180 5.7.2.x, TS 24.481 6.3.13, RFC 5875, RFC 6665). */
import { utf8 } from "../../../base/bytes.ts";
import { gktpUserCollection, MEDIA, writeMultipart } from "../../../documents/group-xml/index.ts";
import { locate } from "../../../roles/group-keys/documents.ts";
import { type NotifyContent, readNotify } from "../../../roles/group-keys/notify-content.ts";
import { type Notify, SUBSCRIPTION_STATE } from "../../../transport/sip/index.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import { forged } from "../tokens.ts";
import type { GmsPeer, Subscribe } from "./peer.ts";

interface Refused {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly subscribe: (peer: GmsPeer) => Subscribe | Promise<Subscribe>;
  /** The status that the clause names; another refusal is inconclusive. */
  readonly status?: number;
}

const REFUSED: readonly Refused[] = [
  {
    id: "GMS-030",
    title: "refuses a SUBSCRIBE without a token",
    clause: "TS 24.481 6.3.13, RFC 8898 2.2",
    subscribe: () => ({ token: null }),
  },
  {
    id: "GMS-031",
    title: "refuses a SUBSCRIBE with a forged token",
    clause: "TS 24.481 6.3.13, RFC 8898 4",
    subscribe: async (peer) => ({ token: forged(await peer.options.tokens.valid()) }),
  },
  {
    id: "GMS-032",
    title: "refuses a SUBSCRIBE with a token that has expired",
    clause: "TS 24.481 6.3.13, RFC 8898 4",
    async subscribe(peer) {
      const expired = peer.options.tokens.expired ?? notApplicable("no --expired-token-file was given");
      return { token: await expired() };
    },
  },
  {
    id: "GMS-033",
    title: "refuses an event package that it does not have",
    clause: "RFC 6665 4.2.1.1",
    subscribe: () => ({ event: "unknown-package" }),
    status: 489,
  },
  {
    id: "GMS-034",
    title: "refuses a SUBSCRIBE that does not accept xcap-diff",
    clause: "RFC 5875 4.4",
    subscribe: () => ({ accept: ["application/sdp"] }),
    status: 406,
  },
  {
    id: "GMS-035",
    title: "refuses a resource list that is not well-formed",
    clause: "RFC 5875 4.4, RFC 3261 21.4.1",
    subscribe: () => ({
      body: writeMultipart([{ contentType: MEDIA.resourceLists, body: utf8("<resource-lists") }]),
    }),
    status: 400,
  },
  {
    id: "GMS-036",
    title: "refuses a body of a type that it does not know",
    clause: "RFC 3261 8.2.3",
    subscribe: () => ({ body: { contentType: "text/plain", body: utf8("group keys, please") } }),
    status: 415,
  },
];

const refusedCase = ({ id, title, clause, subscribe, status }: Refused): TestCase<GmsPeer> => ({
  id,
  title,
  clause,
  async run(peer) {
    const got = await peer.requireSubscribeRefused(await subscribe(peer));
    if (status !== undefined && got !== status) inconclusive(`refused with ${got}; the clause has ${status}`);
  },
});

export const SIP_CASES: readonly TestCase<GmsPeer>[] = [
  ...REFUSED.map(refusedCase),
  {
    id: "GMS-040",
    title: "accepts a SUBSCRIBE with token and resource list, and sends a NOTIFY at once",
    clause: "5.7.2.x, TS 24.481 6.3.13, RFC 6665 4.2.1.2",
    async run(peer) {
      const attempt = await peer.subscribe();
      const { notify, end } = attempt;
      if (notify === undefined) {
        if (end?.cause === "no-notify") fail("answered with 2xx, and no NOTIFY came");
        fail(end?.status === undefined ? `no answer: ${end?.cause}` : `refused with ${end.status}`);
      }
      peer.live = attempt;
    },
  },
  {
    id: "GMS-041",
    title: "says in the NOTIFY that the subscription is active, and for how long",
    clause: "RFC 6665 4.1.3, 8.2.3",
    run(peer) {
      const { request, state } = firstNotify(peer);
      if (state === "pending") inconclusive("pending");
      must(state === "active", `Subscription-State: ${state}`);
      const expires = request.headers.get(SUBSCRIPTION_STATE)?.params.get("expires");
      if (expires === undefined) inconclusive("no expires in Subscription-State");
      must(/^\d+$/.test(expires), `expires is ${expires}`);
    },
  },
  {
    id: "GMS-042",
    title: "tells in an xcap-diff document what there is for the user",
    clause: "RFC 5874 4, RFC 5875 4.4",
    run(peer) {
      const { userUri } = peer.options;
      const { diff } = contentOf(firstNotify(peer));
      if (diff === undefined) fail("no xcap-diff document in the NOTIFY");
      const kinds = diff.documents.map(({ sel }) => locate(sel, userUri)?.kind);
      must(kinds.includes("gktp"), "the GKTP document of the user is not in it");
      const strange = diff.documents.find((_, at) => kinds[at] === undefined);
      if (strange !== undefined) fail(`${strange.sel} was not subscribed to`);
    },
  },
  {
    id: "GMS-043",
    title: "names its XCAP root in the xcap-diff document",
    clause: "RFC 5874 4",
    run(peer) {
      const { xcapRoot } = peer.options;
      if (xcapRoot === undefined) notApplicable("no --xcap-root was given");
      const { diff } = contentOf(firstNotify(peer));
      const root = diff?.xcapRoot.replace(/\/$/, "");
      if (root !== xcapRoot.replace(/\/$/, "")) inconclusive(`xcap-root is ${root}, and not ${xcapRoot}`);
    },
  },
  {
    id: "GMS-044",
    title: "sends the key in the NOTIFY",
    clause: "5.7.2.x step 1",
    run(peer) {
      const octets = messagesIn(contentOf(firstNotify(peer)));
      if (octets.length === 0) inconclusive("no I_MESSAGE in the NOTIFY: it has to be fetched");
      peer.messages.push(...octets.map((one) => ({ from: "sip" as const, octets: one })));
    },
  },
  {
    id: "GMS-045",
    title: "sends a NOTIFY after a refresh",
    clause: "RFC 6665 4.2.1.2",
    async run(peer) {
      const live = known(peer.live, "GMS-040");
      live.subscription.refresh();
      const notify = await live.next();
      if (notify === undefined) fail(live.end === undefined ? "none came" : `ended: ${live.end.cause}`);
    },
  },
  {
    id: "GMS-046",
    title: "ends the subscription with a NOTIFY when asked to",
    clause: "RFC 6665 4.2.1.4, 4.4.1",
    async run(peer) {
      const live = known(peer.live, "GMS-040");
      peer.live = undefined;
      const last = await live.leave();
      if (last === undefined) fail("no NOTIFY after Expires: 0");
      must(last.state === "terminated", `the last NOTIFY has the state ${last.state}`);
    },
  },
  {
    id: "GMS-047",
    title: "tells nobody of the keys of another user",
    clause: "5.7.2.x, TS 24.481 6.3.13",
    async run(peer) {
      const { otherUserUri } = peer.options;
      const attempt = await peer.subscribe({ resources: [gktpUserCollection(otherUserUri)] });
      const { notify, end } = attempt;
      if (notify === undefined) {
        if (end?.status === undefined) inconclusive(`no answer: ${end?.cause}`);
        must(end.status < 500, `status ${end.status}: the GMS failed, and did not refuse`);
        return;
      }
      await attempt.leave();
      const content = contentOf(notify);
      must(messagesIn(content).length === 0, "the NOTIFY has a message");
      const told = content.diff?.documents.find(({ sel }) => locate(sel, otherUserUri)?.kind === "gktp");
      must(told === undefined, `the NOTIFY tells of ${told?.sel}`);
    },
  },
];

function firstNotify(peer: GmsPeer): Notify {
  return known(peer.live?.notify, "GMS-040");
}

function contentOf(notify: Notify): NotifyContent {
  return readNotify(notify);
}

/** The messages in patches of the GKTP document, and those beside the diff. */
function messagesIn({ diff, messages }: NotifyContent): readonly Uint8Array[] {
  const patched = (diff?.documents ?? []).flatMap(({ patches = [] }) =>
    patches.flatMap((patch) => ("add" in patch ? [patch.add.octets] : [])),
  );
  return [...patched, ...messages];
}
