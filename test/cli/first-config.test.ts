/** The configuration that a first start writes names the addresses and ports of its command line. */
import { describe, expect, it } from "vitest";
import { firstGmsConfig } from "../../cli/gms/prepare.ts";
import { firstKmsConfig } from "../../cli/kms/start.ts";
import { firstMcxConfig } from "../../cli/mcx/prepare.ts";

const HOST = "192.0.2.1";
const [PORT, SIP] = [9443, 6060];

describe("the configuration of a first start", () => {
  it("has the address and the ports that the command line named", () => {
    expect(firstKmsConfig({ host: HOST, port: PORT })).toEqual({
      kmsUri: "kms.localhost",
      listen: { host: HOST, port: PORT },
      admin: { port: PORT + 1 },
    });
    expect(firstGmsConfig({ host: HOST, port: PORT, adminPort: 9000, sipPort: SIP }, { workers: 1 })).toEqual(
      {
        gmsUri: "sip:gms@gms.localhost",
        listen: { host: HOST, port: PORT },
        admin: { port: 9000 },
        sip: {
          ...{ host: HOST, udpPort: SIP, tcpPort: SIP },
          ...{ tlsPort: SIP + 1, wsPort: SIP + 2, wssPort: SIP + 3 },
        },
        workers: 1,
      },
    );
    expect(firstMcxConfig({ host: HOST, sipPort: SIP, adminPort: PORT }, {})).toEqual({
      mcxUri: "sip:mcx@mcx.localhost",
      sip: { host: HOST, udpPort: SIP, tcpPort: SIP },
      media: { host: HOST },
      admin: { port: PORT },
    });
  });

  it("has the usual ports where the command line asked for none, or for any", () => {
    for (const port of [{}, { port: 0, adminPort: 0, sipPort: 0 }]) {
      expect(firstKmsConfig(port)).toEqual({ kmsUri: "kms.localhost" });
      expect(firstGmsConfig(port, { workers: 1 })).toEqual({
        gmsUri: "sip:gms@gms.localhost",
        sip: { udpPort: 5060, tcpPort: 5060, tlsPort: 5061, wsPort: 5062, wssPort: 5063 },
        workers: 1,
      });
      expect(firstMcxConfig(port, {})).toEqual({ mcxUri: "sip:mcx@mcx.localhost" });
    }
  });
});
