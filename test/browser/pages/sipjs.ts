/**
 * A member of a group in a page, with SIP.js: uploads a CSK that was made elsewhere, subscribes, answers NOTIFYs with 200, fetches
 * the document they tell of.
 */
import { type Notification, Publisher, Subscriber, UserAgent } from "sip.js";

export interface Heard {
  readonly event: string;
  readonly state: string;
  readonly contentType: string;
  readonly body: string;
}

declare global {
  var heard: Heard[];
  var failed: string | undefined;
  /** Ends the subscription. */
  var leave: () => Promise<void>;
  /** Uploads the I_MESSAGE with a CSK, in base64, to the MCX server at a WebSocket, with an access token. */
  var upload: (server: string, mcx: string, token: string, mikey: string) => Promise<void>;
}

globalThis.heard = [];

const BOUNDARY = "part";
/** Octets of a body that a text carries as it is. */
const LINE = 76;

globalThis.upload = async (server, mcx, token, mikey) => {
  const agent = new UserAgent({
    uri: UserAgent.makeURI(new URLSearchParams(location.search).get("user")!)!,
    transportOptions: { server },
    logBuiltinEnabled: false,
  });
  await agent.start();
  const lines = mikey.match(new RegExp(`.{1,${LINE}}`, "g"))!;
  const publisher = new Publisher(agent, UserAgent.makeURI(mcx)!, "poc-settings", {
    expires: 600,
    contentType: `multipart/mixed;boundary=${BOUNDARY}`,
    extraHeaders: [`Authorization: Bearer ${token}`, `Contact: ${agent.contact}`],
  });
  await publisher.publish(
    [
      `--${BOUNDARY}`,
      "Content-Type: application/mikey",
      "Content-Transfer-Encoding: base64",
      "",
      ...lines,
      `--${BOUNDARY}--`,
      "",
    ].join("\r\n"),
  );
};

async function run(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const get = (name: string) => query.get(name)!;
  const agent = new UserAgent({
    uri: UserAgent.makeURI(get("user"))!,
    transportOptions: { server: get("server") },
    logBuiltinEnabled: false,
  });
  await agent.start();
  const subscriber = new Subscriber(agent, UserAgent.makeURI(get("gms"))!, "xcap-diff", {
    expires: 600,
    extraHeaders: [
      "Accept: application/xcap-diff+xml, multipart/mixed, application/mikey",
      `Authorization: Bearer ${get("token")}`,
    ],
    contentType: "application/resource-lists+xml",
    body: get("list"),
  });
  subscriber.delegate = {
    onNotify(notification: Notification) {
      const { request } = notification;
      globalThis.heard.push({
        event: request.getHeader("Event") ?? "",
        state: request.getHeader("Subscription-State") ?? "",
        contentType: request.getHeader("Content-Type") ?? "",
        body: request.body,
      });
      void notification.accept();
    },
  };
  globalThis.leave = () => subscriber.unsubscribe();
  await subscriber.subscribe();
}

if (new URLSearchParams(location.search).has("gms")) {
  run().catch((error: unknown) => {
    globalThis.failed = String(error);
  });
}
