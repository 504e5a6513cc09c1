/** One of several processes of an MCX server, whose group document and keys of its identity are at hand. */
import { load } from "../../../../bindings/core/core.ts";
import { writeGroupDocument } from "../../../../documents/group-xml/index.ts";
import { MemoryStorage } from "../../../../roles/identity/index.ts";
import { createMcxServer } from "../../../../roles/mcx/index.ts";
import { Envelope, McxStore, openDatabase } from "../../../../store/index.ts";
import { HOME_KMS, makeKms } from "../../../support/world.ts";
import { clientKeysOf, GROUP, MCX, nameTokens } from "../../signalling/parts.ts";
import type { McxJob, McxSaid } from "../mcx-process.ts";

const { databaseUrl, port, members, trustedProxies } = JSON.parse(process.argv[2]!) as McxJob;
const say = (said: McxSaid) => process.send!(said);
const core = await load();
const own = clientKeysOf(makeKms(core, HOME_KMS), MCX);
const document = writeGroupDocument({
  uri: GROUP,
  displayName: "Fire",
  members: members.map((uri) => ({ uri })),
  services: ["mcptt", "mcdata"],
  unprotected: [],
});
const db = await openDatabase({ url: databaseUrl, max: 3 });
const envelope = await Envelope.open(db, new Uint8Array(32).fill(1));
const server = await createMcxServer({
  config: {
    mcxUri: MCX,
    kmsUri: HOME_KMS,
    gms: { uri: "sip:gms@home.example", xcapRoot: "https://gms.example/xcap" },
    sip: { udpPort: port, tcpPort: port, trustedProxies: [...trustedProxies] },
    admin: { port: 0 },
  },
  storage: new MemoryStorage(),
  core,
  keys: { current: () => own, refresh: async () => undefined, close: async () => undefined },
  fetch: async (url) =>
    url.includes("org.openmobilealliance.groups")
      ? new Response(document, { headers: { etag: '"1"' } })
      : new Response(null, { status: 404 }),
  gmsToken: async () => "token",
  tokens: nameTokens,
  store: McxStore.open(db, envelope),
});
await server.listen();
process.on("message", async (order: "state" | "stop") => {
  if (order === "state") {
    const participants = server.state.sessions().map((session) => session.participants.length);
    say({ what: "state", calls: participants.length, totals: server.state.totals() });
    return;
  }
  await server.close();
  envelope.destroy();
  await db.close();
  process.disconnect();
});
say({ what: "listening" });
