/** Tests where a server sends to on the word of a peer, and on which sockets it may listen at all. */
import { describe, expect, it } from "vitest";
import { defined } from "../../base/defined.ts";
import { parseGmsConfig } from "../../roles/gms/common/config.ts";
import { parseMcxConfig } from "../../roles/mcx/common/config.ts";
import { warnOfPlainSip } from "../../roles/server/plain-sip.ts";
import { Targets } from "../../roles/server/targets.ts";
import type { Flow } from "../../transport/sip/index.ts";

const from = (host: string, address?: string): Flow => ({
  transport: "TLS",
  reliable: true,
  accepted: true,
  remote: { host, port: 40_000 },
  ...defined({ address }),
  open: true,
  send: async () => undefined,
  close: () => undefined,
  abort: () => undefined,
});

const none = new Targets({ trustedProxies: [], allowedTargets: [] });

describe("media for a client", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1"],
    ["127.0.0.1", "127.0.0.1"],
    ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1"],
    ["10.0.0.1", "::ffff:10.0.0.1"],
  ])("whose signalling comes from %s go to %s", (source, host) => {
    expect(none.mediaFault({ host, port: 5000 }, from(source))).toBeUndefined();
  });

  it.each([
    ["10.0.0.1", "10.0.0.2"],
    ["10.0.0.1", "127.0.0.1"],
    ["127.0.0.1", "127.0.0.2"],
    ["10.0.0.1", "0.0.0.0"],
    ["0.0.0.0", "0.0.0.0"],
    ["10.0.0.1", "::"],
    ["10.0.0.1", "239.1.2.3"],
    ["10.0.0.1", "255.255.255.255"],
    ["10.0.0.1", "169.254.169.254"],
    ["10.0.0.1", "ff02::1"],
    ["10.0.0.1", "::1"],
    ["10.0.0.1", "::ffff:127.0.0.1"],
    ["dead:beef", "dead:beef"],
    ["127.000.000.001", "127.000.000.001"],
    ["localhost", "localhost"],
  ])("whose signalling comes from %s do not go to %s", (source, host) => {
    expect(none.mediaFault({ host, port: 5000 }, from(source))).toContain(host);
  });

  it("go to the allowed networks, but to no multicast and not to the server itself", () => {
    const all = new Targets({ trustedProxies: [], allowedTargets: [] }, ["0.0.0.0/0", "::/0"]);
    const fault = (host: string) => all.mediaFault({ host, port: 5000 }, from("10.0.0.1"));
    expect(fault("192.168.1.1")).toBeUndefined();
    expect(fault("2001:db8::7")).toBeUndefined();
    for (const host of ["127.0.0.1", "::1", "0.0.0.0", "239.0.0.1", "::ffff:224.0.0.1"]) {
      expect(fault(host), host).toBeDefined();
    }
  });

  it("depend on the address of the connection, not on the name that it was opened to", () => {
    const flow = from("client.example.org", "10.0.0.1");
    expect(none.mediaFault({ host: "10.0.0.1", port: 5000 }, flow)).toBeUndefined();
  });
});

describe("a SIP configuration", () => {
  const mcx = { mcxUri: "sip:mcx@example.org", kmsUri: "kms.example.org" };
  const gms = { gmsUri: "sip:gms@example.org", kmsUri: "kms.example.org" };

  it.each(["udpPort", "tcpPort", "wsPort"])(
    "with %s beyond loopback is refused unless it says allowPlain",
    (port) => {
      const sip = { host: "0.0.0.0", tcpPort: 5060, [port]: 5060 };
      for (const parse of [() => parseMcxConfig({ ...mcx, sip }), () => parseGmsConfig({ ...gms, sip })]) {
        expect(parse).toThrow(/sip\.host: .*tlsPort and wssPort.*sip\.allowPlain/);
      }
      expect(parseMcxConfig({ ...mcx, sip: { ...sip, allowPlain: true } }).sip.allowPlain).toBe(true);
      expect(parseGmsConfig({ ...gms, sip: { ...sip, allowPlain: true } }).sip?.allowPlain).toBe(true);
    },
  );

  it("with TLS and WSS beyond loopback, or without TLS on loopback, is accepted", () => {
    expect(parseMcxConfig({ ...mcx, sip: { host: "0.0.0.0", tlsPort: 5061, wssPort: 443 } })).toBeDefined();
    expect(parseMcxConfig({ ...mcx, sip: { host: "::1", udpPort: 5060, tcpPort: 5060 } })).toBeDefined();
  });

  it.each(["10.0.0.0/33", "10.0.0", "proxy.example.org", "::/129", "10.0.0.0/-1"])(
    "with a network %s is refused",
    (network) => {
      expect(() => parseGmsConfig({ ...gms, sip: { trustedProxies: [network] } })).toThrow(/trustedProxies/);
    },
  );

  it("without TLS beyond loopback is warned of at each start", () => {
    const said: unknown[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (facts: object) => void said.push(facts) };
    const { sip } = parseMcxConfig({
      ...mcx,
      sip: { host: "10.0.0.1", tcpPort: 1, tlsPort: 2, allowPlain: true },
    });
    warnOfPlainSip(sip, log);
    warnOfPlainSip({ ...sip, host: "127.0.0.1" }, log);
    expect(said).toEqual([{ host: "10.0.0.1", transports: ["TCP"] }]);
  });
});
