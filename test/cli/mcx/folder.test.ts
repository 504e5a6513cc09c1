/** Configurations of servers: paths in them are relative to the file that has them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGmsFolder } from "../../../cli/gms/gms-folder.ts";
import { openMcxFolder } from "../../../cli/mcx/mcx-folder.ts";
import { temporaryFolder } from "../run-cli.ts";

const provisioning = { tokenFile: "server.token", caFile: "ca.pem", clientId: "mcx", trkFile: "/keys/trk" };
const config = {
  kmsUri: "kms.example.org",
  tls: { certFile: "tls.crt", keyFile: "/keys/tls.key" },
  gms: { gmsUri: "sip:gms@example.org", provisioning },
  mcx: {
    mcxUri: "sip:mcx@example.org",
    gms: { uri: "sip:gms@example.org", xcapRoot: "https://gms.example.org/xcap", tokenFile: "gms.token" },
    provisioning,
  },
};

async function folder() {
  const dataDir = await temporaryFolder();
  await writeFile(join(dataDir, "config.json"), JSON.stringify(config));
  const located = {
    tokenFile: join(dataDir, "server.token"),
    caFile: join(dataDir, "ca.pem"),
    clientId: "mcx",
    trkFile: "/keys/trk",
  };
  return { dataDir, located, tls: { certFile: join(dataDir, "tls.crt"), keyFile: "/keys/tls.key" } };
}

describe("paths in a configuration", () => {
  it("of the MCX server are relative to its file, with its token for the GMS", async () => {
    const { dataDir, located, tls } = await folder();
    const { config: read } = await openMcxFolder({ dataDir });
    expect(read.provisioning).toEqual(located);
    expect(read.gms?.tokenFile).toBe(join(dataDir, "gms.token"));
    expect(read.tls).toEqual(tls);
  });

  it("of the GMS are relative to its file", async () => {
    const { dataDir, located, tls } = await folder();
    const { config: read } = await openGmsFolder({ dataDir });
    expect(read.provisioning).toEqual(located);
    expect(read.tls).toEqual(tls);
  });
});
