/** A member of a group in a page, with SIP.js: subscribes, answers NOTIFYs with 200, fetches the document they tell of. */
import { type Notification, Subscriber, UserAgent } from "sip.js";

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
}

globalThis.heard = [];

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

run().catch((error: unknown) => {
  globalThis.failed = String(error);
});
