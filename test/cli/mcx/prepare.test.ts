/** Tests where an MCX server listens when its configuration says little of it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { prepareMcx } from "../../../cli/mcx/prepare.ts";
import { temporaryFolder } from "../run-cli.ts";

const GMS = { uri: "sip:gms@example.org", xcapRoot: "https://gms.example.org/xcap" };

async function sipOf(sip: object | undefined) {
  const dataDir = await temporaryFolder();
  const tokens = { issuer: "a", audience: "a", jwksUri: "https://a.example/jwks" };
  const tls = { certFile: "tls.pem", keyFile: "tls.key" };
  const mcx = { mcxUri: "sip:mcx@example.org", kmsUri: "kms.example.org", tls, tokens, sip };
  await writeFile(join(dataDir, "config.json"), JSON.stringify({ mcx }));
  return (await prepareMcx({ dataDir }, GMS)).data.config.sip;
}

it("UDP and TCP get a port by default on loopback only, or where plain SIP is allowed", async () => {
  expect(await sipOf(undefined)).toMatchObject({ udpPort: 5070, tcpPort: 5070 });
  expect(await sipOf({ wsPort: 5072 })).toMatchObject({ udpPort: 5070, tcpPort: 5070, wsPort: 5072 });
  expect(await sipOf({ host: "0.0.0.0", allowPlain: true })).toMatchObject({ udpPort: 5070, tcpPort: 5070 });
  const beyond = await sipOf({ host: "0.0.0.0", advertisedHost: "mcx.example.org", tlsPort: 5062 });
  expect(beyond).toMatchObject({ tlsPort: 5062 });
  expect([beyond.udpPort, beyond.tcpPort]).toEqual([undefined, undefined]);
});
