/** A whole MCX server as a process, whose group documents and keys of its identity are at hand; it is given no group key. */
import { load } from "../../../../bindings/core/core.ts";
import { writeGroupDocument } from "../../../../documents/group-xml/index.ts";
import { FileStorage, openStorageKeyFile } from "../../../../roles/identity/file-storage-node.ts";
import { SealedStorage } from "../../../../roles/identity/index.ts";
import { createMcxServer } from "../../../../roles/mcx/index.ts";
import { HOME_KMS, makeKms } from "../../../support/world.ts";
import { clientKeysOf, GROUP, MCX, NAMES, nameTokens } from "../../signalling/parts.ts";

export type Order = { readonly keep: string } | { readonly stop: true };

const [folder, port] = [process.argv[2]!, Number(process.argv[3])];
const core = await load();
const own = clientKeysOf(makeKms(core, HOME_KMS), MCX);
const document = writeGroupDocument({
  uri: GROUP,
  displayName: "Fire",
  members: NAMES.map((uri) => ({ uri })),
  services: ["mcptt", "mcdata"],
  unprotected: [],
});
const server = await createMcxServer({
  config: {
    mcxUri: MCX,
    kmsUri: HOME_KMS,
    gms: { uri: "sip:gms@home.example", xcapRoot: "https://gms.example/xcap" },
    sip: { udpPort: port, tcpPort: port },
    admin: { port: 0 },
  },
  storage: new SealedStorage(await FileStorage.open(folder), await openStorageKeyFile(`${folder}.key`)),
  core,
  keys: { current: () => own, refresh: async () => undefined, close: async () => undefined },
  fetch: async (url) =>
    url.includes("org.openmobilealliance.groups")
      ? new Response(document, { headers: { etag: '"1"' } })
      : new Response(null, { status: 404 }),
  gmsToken: async () => "token",
  tokens: nameTokens,
});
await server.listen();
const kept: Buffer[] = [];
process.on("message", (order: Order) => {
  if ("keep" in order) kept.push(Buffer.from(order.keep, "hex"));
  else void server.close().then(() => process.disconnect());
  process.send!({ kept: kept.length, totals: server.state.totals() });
});
process.send!({ ready: true });
