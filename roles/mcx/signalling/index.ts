/** The MCX server over SIP: PUBLISH and REGISTER bind, INVITE joins a call or begins a private one, MESSAGE brings short data, SUBSCRIBE asks who is in a call. */
import type { Answer, Incoming } from "../../../transport/sip/index.ts";
import type { RefusedLog } from "../../server/refused-log.ts";
import { Binder } from "./bind.ts";
import { inviteHandler } from "./calls.ts";
import type { Conferences } from "./conferences.ts";
import type { SignallingContext } from "./context.ts";
import { messageHandler } from "./data.ts";
import type { Musik } from "./musik-download.ts";
import { optionsHandler } from "./options.ts";
import { publishHandler } from "./publish.ts";
import { registerHandler } from "./register.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

export interface SignallingOptions extends SignallingContext {
  /** Gets every refusal: anybody may send requests, and members may send many. */
  readonly refused: Pick<RefusedLog, "note">;
  readonly conferences: Conferences;
  /** The key of multicast, where there is multicast. */
  readonly musik?: Musik | undefined;
}

/** Subscriptions to who is in a call. */
const CONFERENCE = "conference";
const ACCEPTED: Answer = { status: 200 };

export function serveSignalling(context: SignallingOptions): void {
  const { endpoint, config, log, refused, musik, conferences, count, isStopping } = context;
  const refusing =
    <A extends Answer>(method: string, handler: (incoming: Incoming) => Promise<A>) =>
    async (incoming: Incoming): Promise<A | Answer> => {
      try {
        if (isStopping?.()) throw new SignallingRefusal("STOPPING");
        return await handler(incoming);
      } catch (error) {
        if (!(error instanceof SignallingRefusal)) throw error;
        count(`refused_${error.code.toLowerCase()}`);
        const { transport, remote } = incoming.flow;
        const detail = `${method}: ${error.message}`;
        refused.note({ reason: error.code, transport, source: remote.host, detail });
        return error.answer(config.tokens?.issuer);
      }
    };
  const binder = new Binder(context, (client) => {
    if (musik === undefined) return;
    musik.download(context, client).catch((error: unknown) => {
      log.warn({ user: client.user, detail: String(error) }, "the MuSiK was not brought");
    });
  });
  endpoint.onRequest("OPTIONS", optionsHandler(context));
  endpoint.onRequest("PUBLISH", refusing("PUBLISH", publishHandler(context, binder)));
  endpoint.onRequest("REGISTER", refusing("REGISTER", registerHandler(context, binder)));
  endpoint.onRequest("MESSAGE", refusing("MESSAGE", messageHandler(context)));
  endpoint.onInvite(refusing("INVITE", inviteHandler(context)));
  endpoint.notifier({
    package: CONFERENCE,
    onSubscribe: async (subscription, incoming) => {
      const answer = await refusing("SUBSCRIBE", async () => {
        await conferences.decide(subscription, incoming, context);
        return ACCEPTED;
      })(incoming);
      return answer === ACCEPTED ? { state: "active" } : { refuse: answer };
    },
    current: (subscription) => conferences.current(subscription),
    onEnd: (subscription) => conferences.ended(subscription),
    freeToLeave: true,
  });
}
