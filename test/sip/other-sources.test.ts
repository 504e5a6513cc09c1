/**
 * An attacker who has read a dialog on the wire, or names other machines in it, can neither end, move nor redirect
 * anything.
 */
import { describe, expect, it } from "vitest";
import { defined } from "../../base/defined.ts";
import { Targets } from "../../roles/server/targets.ts";
import {
  bearerScheme,
  CONTACT,
  createAuthenticator,
  createResponse,
  nameAddress,
  type SipSession,
} from "../../transport/sip/index.ts";
import { CLIENT, SERVER, World } from "./support/endpoints.ts";

const EVE = { host: "10.0.0.66", port: 5060 };
const THIRD = { host: "10.0.0.9", port: 39_997 };
const targets = new Targets({ trustedProxies: ["10.0.0.5"], allowedTargets: ["10.7.0.0/16"] });

/** A machine that only sends and collects. */
async function machine(world: World, address = EVE) {
  const got: string[] = [];
  const transport = world.network.udp(address);
  await transport.start({
    message: (bytes) => void got.push(new TextDecoder().decode(bytes)),
    closed: () => undefined,
  });
  return {
    got,
    async send(to: typeof EVE, lines: readonly string[]) {
      await (await transport.connect(to)).send(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
      await world.clock.pass(200);
      return got.map((text) => text.split("\r\n")[0]!);
    },
  };
}

/** A header of the first message on the wire that begins so. */
function header(world: World, start: string, name: string): string {
  const message = world.network.seen.find(({ text }) => text.startsWith(start))!.text;
  return message
    .split("\r\n")
    .find((line) => line.startsWith(`${name}: `))!
    .slice(name.length + 2);
}

interface Forged {
  readonly method: string;
  readonly to: string;
  /** Whether From and To are those of a request of the server, the reverse of those in the 200 that began the dialog. */
  readonly ofServer?: boolean;
  readonly more?: readonly string[];
  readonly host?: string;
}

/** A request of the dialog by what can be read in the 200. */
function forged(world: World, { method, to, ofServer, more = [], host = EVE.host }: Forged): string[] {
  const [from, peer] = [header(world, "SIP/2.0 200", "From"), header(world, "SIP/2.0 200", "To")];
  return [
    `${method} ${to} SIP/2.0`,
    `Via: SIP/2.0/UDP ${host};branch=z9hG4bKeve${method}${world.network.seen.length}`,
    `From: ${ofServer ? peer : from}`,
    `To: ${ofServer ? from : peer}`,
    `Call-ID: ${header(world, "SIP/2.0 200", "Call-ID")}`,
    `CSeq: 900 ${method}`,
    "Max-Forwards: 70",
    ...more,
    "Content-Length: 0",
  ];
}

async function called(world: World, proves?: () => Promise<boolean>) {
  const ends: string[] = [];
  /** Methods of the requests that the server was told of. */
  const told: string[] = [];
  const sessions: SipSession[] = [];
  world.server.onInvite(() => ({
    status: 200,
    ...defined({ proves }),
    received: ({ method }) => told.push(method),
    accepted: (session) => sessions.push(session),
    onEnd: (end) => ends.push(`server ${end}`),
  }));
  const inviting = world.client.invite({
    uri: "sip:gms@10.0.0.2",
    from: "sip:alice@example.com",
    onEnd: (end) => ends.push(`client ${end}`),
  });
  await world.clock.pass(100);
  return { ends, told, sessions, session: (await inviting).session! };
}

const SERVER_URI = "sip:gms@10.0.0.2";
const CLIENT_URI = "sip:alice@10.0.0.1";

describe("a request of a dialog from another address", () => {
  it("cannot end a call at the server: BYE without a token", async () => {
    const world = await new World().start();
    const { ends, told, sessions } = await called(world);
    const eve = await machine(world);
    expect(await eve.send(SERVER, forged(world, { method: "BYE", to: SERVER_URI }))).toEqual([
      "SIP/2.0 403 Forbidden",
    ]);
    expect([ends, told, sessions[0]!.open]).toEqual([[], ["ACK"], true]);
  });

  it("cannot end a call at the server from another port of the same address", async () => {
    const world = await new World().start();
    const { ends } = await called(world);
    const eve = await machine(world, { host: CLIENT.host, port: 5999 });
    const bye = forged(world, { method: "BYE", to: SERVER_URI, host: "10.0.0.1:5999" });
    expect(await eve.send(SERVER, bye)).toEqual(["SIP/2.0 403 Forbidden"]);
    expect(ends).toEqual([]);
  });

  it("does not confirm a call that the caller never acknowledged: ACK", async () => {
    const world = await new World().start();
    const eve = await machine(world);
    // The caller's own are lost.
    world.network.weather = {
      copies: () => {
        const { text } = world.network.seen.at(-1)!;
        return text.startsWith("ACK") && !text.includes(EVE.host) ? [] : [1];
      },
    };
    const { ends, told, sessions } = await called(world);
    await eve.send(SERVER, forged(world, { method: "ACK", to: SERVER_URI }));
    await world.clock.pass(40_000);
    expect([ends, told, sessions[0]!.open]).toEqual([["server lost", "client bye"], [], false]);
  });

  it("ends a call if it proves to be of the same user", async () => {
    const world = await new World().start();
    const { ends, told } = await called(world, async () => true);
    const moved = await machine(world);
    expect(await moved.send(SERVER, forged(world, { method: "BYE", to: SERVER_URI }))).toEqual([
      "SIP/2.0 200 OK",
    ]);
    expect([ends, told]).toEqual([["server bye"], ["ACK", "BYE"]]);
  });

  it("cannot end a call at the client: BYE from another host than the server", async () => {
    const world = await new World().start();
    const { ends, session } = await called(world);
    const eve = await machine(world);
    const bye = forged(world, { method: "BYE", to: CLIENT_URI, ofServer: true });
    expect(await eve.send(CLIENT, bye)).toEqual(["SIP/2.0 403 Forbidden"]);
    expect([ends, session.open]).toEqual([[], true]);
  });

  it("cannot cancel an INVITE", async () => {
    const world = await new World().start();
    let answer: (() => void) | undefined;
    world.server.onInvite(
      () =>
        new Promise((resolve) => {
          answer = () => resolve({ status: 200 });
        }),
    );
    const inviting = world.client.invite({ uri: SERVER_URI, from: "sip:alice@example.com" });
    await world.clock.pass(50);
    const eve = await machine(world);
    const [invite] = world.network.seen.filter(({ text }) => text.startsWith("INVITE"));
    const cancel = invite!.text
      .trimEnd()
      .split("\r\n")
      .filter((line) => !/^Contact/.test(line))
      .map((line) => line.replace(/^INVITE/, "CANCEL").replace(/^(CSeq: \d+) INVITE/, "$1 CANCEL"));
    expect(await eve.send(SERVER, cancel)).toEqual(["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    answer!();
    await world.clock.pass(100);
    expect((await inviting).response.status).toBe(200);
  });

  it("delivers no NOTIFY to a client, nor ends its subscription", async () => {
    const world = await new World().start();
    world.notifier();
    world.subscribe();
    await world.clock.pass(100);
    const eve = await machine(world);
    const more = [
      "Event: xcap-diff",
      "Subscription-State: terminated;reason=noresource",
      `Contact: <${SERVER_URI}>`,
    ];
    const notify = forged(world, { method: "NOTIFY", to: CLIENT_URI, ofServer: true, more });
    expect(await eve.send(CLIENT, notify)).toEqual(["SIP/2.0 403 Forbidden"]);
    expect([world.notifies.length, world.ends]).toEqual([1, []]);
  });

  it("ends no subscription at the notifier without a token, even if the subscriber needs none", async () => {
    const world = await new World("UDP", {
      credentials: { bearer: () => "good" },
    }).start();
    const bearer = bearerScheme({
      authorizationServer: "https://idms.example.com",
      verify: (token) => (token === "good" ? "sip:alice@example.com" : undefined),
    });
    const notifier = world.notifier({ authenticator: createAuthenticator(bearer), freeToLeave: true });
    world.subscribe();
    await world.clock.pass(200);
    expect(notifier.subscriptions.size).toBe(1);
    const eve = await machine(world);
    const more = [
      "Event: xcap-diff;diff-processing=aggregate",
      "Expires: 0",
      `Contact: <sip:eve@${EVE.host}>`,
    ];
    await eve.send(SERVER, forged(world, { method: "SUBSCRIBE", to: SERVER_URI, more }));
    expect(eve.got[0]).toMatch(/^SIP\/2.0 401/);
    expect([notifier.subscriptions.size, world.ends]).toEqual([1, []]);
  });
});

describe("a Contact that points to a third party", () => {
  /** Returns what the third party got, and whether the sender was told. */
  async function subscribed(contact: string, more: readonly string[] = []) {
    const world = await new World("UDP", {}, { targets }).start();
    world.notifier();
    const [eve, third] = [await machine(world), await machine(world, THIRD)];
    const answers = await eve.send(SERVER, [
      `SUBSCRIBE ${SERVER_URI} SIP/2.0`,
      `Via: SIP/2.0/UDP ${EVE.host};branch=z9hG4bKsub`,
      "From: <sip:eve@example.com>;tag=1",
      `To: <${SERVER_URI}>`,
      "Call-ID: eve",
      "CSeq: 1 SUBSCRIBE",
      "Event: xcap-diff",
      `Contact: <${contact}>`,
      ...more,
      "Content-Length: 0",
    ]);
    return { answers, third: third.got };
  }

  it.each([
    ["by its address", "sip:x@10.0.0.9:39997"],
    ["by maddr", "sip:x@10.0.0.66;maddr=10.0.0.9"],
    ["by a name", "sip:x@third.example.com"],
  ])("gets no NOTIFY %s: it goes back to the source of the SUBSCRIBE", async (_, contact) => {
    const { answers, third } = await subscribed(contact);
    expect(third).toEqual([]);
    expect(answers).toEqual(["SIP/2.0 200 OK", expect.stringMatching(/^NOTIFY sip:x@/)]);
  });

  it("gets no NOTIFY through Record-Route or Via of an untrusted proxy: 403", async () => {
    const routed = await subscribed(`sip:eve@${EVE.host}`, ["Record-Route: <sip:10.0.0.9:39997;lr>"]);
    expect(routed).toEqual({ answers: ["SIP/2.0 403 Forbidden"], third: [] });
    const passed = await subscribed(`sip:eve@${EVE.host}`, [
      `Via: SIP/2.0/UDP 10.0.0.9:39997;branch=z9hG4bK2`,
    ]);
    expect(passed).toEqual({ answers: ["SIP/2.0 403 Forbidden"], third: [] });
  });

  it("gets no NOTIFY through the Contact of a 200 to a NOTIFY", async () => {
    const world = await new World("UDP", {}, { targets }).start();
    const notifier = world.notifier();
    world.subscribe();
    await world.clock.pass(100);
    const [subscription] = notifier.subscriptions;
    const { dialog } = subscription!;
    expect(dialog.way.only).toBe(false);
    const answer = createResponse(dialog.request("NOTIFY"), 200);
    answer.headers.set(CONTACT, nameAddress("sip:x@10.0.0.9:39997"));
    dialog.answered(answer);
    expect(dialog.remoteTarget).toBe("sip:x@10.0.0.9:39997");
    const third = await machine(world, THIRD);
    const notified = subscription!.notify({});
    await world.clock.pass(200);
    expect([(await notified).status, third.got]).toEqual([200, []]);
  });

  it("is served where the configuration allows its network, or its proxy is trusted", async () => {
    const world = await new World("UDP", {}, { targets }).start();
    world.notifier();
    const phone = await machine(world, { host: "10.7.1.1", port: 5060 });
    const proxy = await machine(world, { host: "10.0.0.5", port: 5060 });
    const subscribe = (name: string, contact: string, more: readonly string[]) => [
      `SUBSCRIBE ${SERVER_URI} SIP/2.0`,
      ...more,
      `From: <sip:${name}@example.com>;tag=1`,
      `To: <${SERVER_URI}>`,
      `Call-ID: ${name}`,
      "CSeq: 1 SUBSCRIBE",
      "Event: xcap-diff",
      `Contact: <${contact}>`,
      "Content-Length: 0",
    ];
    const eve = await machine(world);
    await eve.send(
      SERVER,
      subscribe("own", "sip:p@10.7.1.1", ["Via: SIP/2.0/UDP 10.0.0.66;branch=z9hG4bKa"]),
    );
    expect(phone.got.map((text) => text.split(" ")[0])).toContain("NOTIFY");
    const answers = await proxy.send(
      SERVER,
      subscribe("behind", "sip:p@192.168.1.7", [
        "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKb",
        "Via: SIP/2.0/UDP 192.168.1.7;branch=z9hG4bKc",
        "Record-Route: <sip:10.0.0.5;lr>",
      ]),
    );
    expect(answers).toEqual(["SIP/2.0 200 OK", "NOTIFY sip:p@192.168.1.7 SIP/2.0"]);
  });
});
