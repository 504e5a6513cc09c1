/** Tests where a SIP URI leads to by DNS (RFC 3263, RFC 2782). */
import { describe, expect, it } from "vitest";
import { locate, type NextHop, type TransportName } from "../../transport/sip/index.ts";
import { inOrder } from "../../transport/sip/locate/locate.ts";
import { seededRandom } from "../support/random.ts";
import { FakeDns } from "./support/fake-dns.ts";

const ALL: readonly TransportName[] = ["UDP", "TCP", "TLS"];
const show = (hops: readonly NextHop[]) =>
  hops.map(({ transport, host, port, domain }) =>
    [transport, `${host}:${port}`, ...(domain === undefined ? [] : [domain])].join(" "),
  );

async function places(dns: FakeDns, uri: string, transports = ALL): Promise<string[]> {
  return show(await locate(uri, { resolver: dns, transports, random: seededRandom("locate") }));
}

const dns = new FakeDns({
  naptr: {
    "home.example": [
      { order: 50, preference: 20, service: "SIP+D2U", replacement: "_sip._udp.home.example." },
      { order: 50, preference: 10, service: "SIPS+D2T", replacement: "_sips._tcp.home.example." },
      { order: 10, preference: 1, service: "SIP+D2S", replacement: "_sip._sctp.home.example." },
    ],
  },
  srv: {
    "_sips._tcp.home.example": [
      { priority: 2, weight: 1, port: 5071, target: "b.home.example." },
      { priority: 1, weight: 1, port: 5061, target: "a.home.example" },
    ],
    "_sip._udp.home.example": [{ priority: 0, weight: 0, port: 5060, target: "a.home.example" }],
    "_sip._tcp.plain.example": [{ priority: 0, weight: 0, port: 5080, target: "a.home.example" }],
    "_sip._tcp.gone.example": [{ priority: 0, weight: 0, port: 5080, target: "." }],
  },
  addresses: {
    "a.home.example": ["192.0.2.1", "2001:db8::1"],
    "b.home.example": ["192.0.2.2"],
    "bare.example": ["192.0.2.7", "192.0.2.8"],
    "gone.example": ["192.0.2.9"],
  },
});

describe("the addresses of a SIP URI", () => {
  it("with a name alone come from NAPTR, SRV and address records, the preferred first", async () => {
    expect(await places(dns, "sip:gms@home.example")).toEqual([
      "TLS 192.0.2.1:5061 home.example",
      "TLS 2001:db8::1:5061 home.example",
      "TLS 192.0.2.2:5071 home.example",
      "UDP 192.0.2.1:5060",
      "UDP 2001:db8::1:5060",
    ]);
  });

  it("are none for transports that are not available here", async () => {
    expect(await places(dns, "sip:gms@home.example", ["UDP"])).toEqual([
      "UDP 192.0.2.1:5060",
      "UDP 2001:db8::1:5060",
    ]);
    expect(await places(dns, "sip:gms@home.example", ["WSS"])).toEqual([]);
  });

  it("with the scheme sips are for TLS only", async () => {
    const found = await places(dns, "sips:gms@home.example");
    expect(found).toHaveLength(3);
    expect(found.every((place) => place.startsWith("TLS"))).toBe(true);
  });

  it("without NAPTR records come from the SRV records of each transport", async () => {
    expect(await places(dns, "sip:gms@plain.example")).toEqual([
      "TCP 192.0.2.1:5080",
      "TCP 2001:db8::1:5080",
    ]);
  });

  it("with a transport come from the SRV records of that one", async () => {
    expect(await places(dns, "sip:gms@home.example;transport=udp")).toEqual([
      "UDP 192.0.2.1:5060",
      "UDP 2001:db8::1:5060",
    ]);
  });

  it("with a port are all addresses of the name, without SRV records", async () => {
    expect(await places(dns, "sip:gms@bare.example:5099;transport=tcp")).toEqual([
      "TCP 192.0.2.7:5099",
      "TCP 192.0.2.8:5099",
    ]);
  });

  it("without SRV records are those of the name at the port of the transport", async () => {
    expect(await places(dns, "sips:gms@bare.example")).toEqual([
      "TLS 192.0.2.7:5061 bare.example",
      "TLS 192.0.2.8:5061 bare.example",
    ]);
  });

  it("with a literal address are that one, without DNS", async () => {
    dns.asked.length = 0;
    expect(await places(dns, "sip:gms@192.0.2.44;transport=tcp")).toEqual([]);
    expect(await places(dns, "sip:gms@[2001:db8::44]")).toEqual([]);
    expect(dns.asked).toEqual([]);
  });

  it("are none while DNS does not answer", async () => {
    const away = new FakeDns({});
    away.isAway = true;
    await expect(places(away, "sip:gms@home.example")).rejects.toThrow("DNS");
  });
});

it("SRV records of one priority are drawn by weight, and each is used once", () => {
  const random = seededRandom("weights");
  const records = [
    { priority: 1, weight: 90, port: 1, target: "often" },
    { priority: 1, weight: 10, port: 1, target: "seldom" },
    { priority: 1, weight: 0, port: 1, target: "hardly" },
    { priority: 2, weight: 50, port: 1, target: "later" },
  ];
  const first = new Map<string, number>();
  for (let i = 0; i < 2000; i++) {
    const order = inOrder(records, random).map(({ target }) => target);
    expect([...order].sort()).toEqual(["hardly", "later", "often", "seldom"]);
    expect(order.at(-1)).toBe("later");
    first.set(order[0]!, (first.get(order[0]!) ?? 0) + 1);
  }
  // 1,780 of 2,000 draws are to be expected, with a deviation of 14.
  expect(first.get("often")).toBeGreaterThan(1680);
  expect(first.get("often")).toBeLessThan(1880);
  expect(first.get("hardly") ?? 0).toBeLessThan(80);
});
