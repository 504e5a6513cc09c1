import { describe, expect, it } from "vitest";
import { parseGmsConfig } from "../../roles/gms/common/config.ts";

const LEAST = { gmsUri: "sip:gms@example.org", kmsUri: "kms.example.org" };

describe("the GMS configuration", () => {
  it("needs no more than the two identities", () => {
    expect(parseGmsConfig(LEAST)).toMatchObject({
      listen: { host: "127.0.0.1", port: 8445 },
      xcapPath: "/xcap",
      policy: { rekeyBeforePeriodEnd: 86400, gmkLifetime: 30 * 86400, revokeGrace: 30 },
      limits: { chunkSize: 256, chunksInFlight: 2, leaseSeconds: 15, pollMs: 500 },
    });
    expect(parseGmsConfig(LEAST).sip).toBeUndefined();
  });

  it.each([
    [{ gmsUrl: "x" }, "gmsUrl"],
    [{ gmsUri: "" }, "gmsUri"],
    [{ limits: { chunkSize: 5000 } }, "limits.chunkSize"],
    [{ limits: { minExpires: 100, maxExpires: 60 } }, "limits.minExpires"],
    [{ policy: { gmkLifetime: -1 } }, "policy.gmkLifetime"],
    [{ xcapPath: "/xcap/" }, "xcapPath"],
    [{ admin: { host: "0.0.0.0" } }, "admin.host"],
    [{ sip: { udpPort: 5060 } }, "sip.tcpPort"],
    [{ sip: { tcpPort: 0, advertisedHost: "gms.example.org" } }, "sip.advertisedHost"],
    [{ tokens: { issuer: "x", audience: "y" } }, "tokens"],
  ])("is refused with what is wrong in %j", (changes, path) => {
    expect(() => parseGmsConfig({ ...LEAST, ...changes })).toThrow(
      expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(path) }),
    );
  });
});
