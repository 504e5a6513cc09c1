/** Access tokens count from where they first came, once somebody may have read them. */
import { describe, expect, it } from "vitest";
import { TokenSources } from "../../roles/server/token-sources.ts";
import type { Flow, TransportName } from "../../transport/sip/index.ts";

const from = (host: string, transport: TransportName) => ({ transport, remote: { host, port: 1 } }) as Flow;

describe("an access token", () => {
  it.each(["UDP", "TCP", "WS"] as const)(
    "that came over %s is refused from another address, over TLS too",
    (way) => {
      const sources = new TokenSources([]);
      expect(sources.permits("a", from("192.0.2.1", way))).toBe(true);
      expect(sources.permits("a", from("192.0.2.2", way))).toBe(false);
      expect(sources.permits("a", from("192.0.2.2", "TLS"))).toBe(false);
      expect(sources.permits("a", from("192.0.2.1", "TLS"))).toBe(true);
      expect(sources.permits("b", from("192.0.2.2", way))).toBe(true);
    },
  );

  it("that only came over TLS counts from any address", () => {
    const sources = new TokenSources([]);
    expect(sources.permits("a", from("192.0.2.1", "TLS"))).toBe(true);
    expect(sources.permits("a", from("192.0.2.2", "WSS"))).toBe(true);
  });

  it("counts through every trusted proxy", () => {
    const sources = new TokenSources(["198.51.100.0/24"]);
    expect(sources.permits("a", from("198.51.100.1", "UDP"))).toBe(true);
    expect(sources.permits("a", from("198.51.100.2", "UDP"))).toBe(true);
    expect(sources.permits("a", from("192.0.2.1", "UDP"))).toBe(true);
    expect(sources.permits("a", from("192.0.2.2", "UDP"))).toBe(false);
  });

  it("counts through a trusted proxy for the IMS identity that the proxy asserted first", () => {
    const sources = new TokenSources(["198.51.100.0/24"]);
    const [one, other] = [from("198.51.100.1", "UDP"), from("198.51.100.2", "TLS")];
    expect(sources.permits("a", one, "sip:a1@home1.net")).toBe(true);
    expect(sources.permits("a", other, "sip:a1@HOME1.net")).toBe(true);
    expect(sources.permits("a", one, "sip:m1@home1.net")).toBe(false);
    expect(sources.permits("a", from("192.0.2.2", "UDP"))).toBe(false);
    expect(sources.permits("a", from("192.0.2.2", "UDP"), "sip:a1@home1.net")).toBe(false);
  });
});
