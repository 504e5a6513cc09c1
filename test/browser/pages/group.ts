/** A page that is a group's member: keys from the KMS, a GMK over SIP on a WebSocket, all of it kept in IndexedDB. */
import { defined } from "../../../base/defined.ts";
import { formatKeyId, load, systemRandom, toHex } from "../../../bindings/index.ts";
import { createGroupClient, GroupKeyRing } from "../../../roles/group-keys/index.ts";
import {
  IndexedDbStorage,
  KeyStore,
  KmsClient,
  KmsTrust,
  loadKeys,
  Provisioner,
  SealedStorage,
} from "../../../roles/identity/index.ts";
import { createSipEndpoint, systemClock, webSocketTransport } from "../../../transport/sip/index.ts";

export interface GroupReport {
  readonly gmkId?: string;
  /** The GMK, only so that the test can compare it with that of the GMS. */
  readonly key?: string;
  readonly text?: string;
  readonly state?: string;
  /** The outcome of the first message. */
  readonly outcome?: string;
  readonly posts?: number;
  readonly records?: readonly string[];
  /** Whether a record shows the GMK. */
  readonly inClear?: boolean;
  readonly error?: string;
}

const query = new URLSearchParams(location.search);
const of = (name: string) => query.get(name) ?? "";

async function run(): Promise<GroupReport> {
  const [userUri, kmsUri, group] = [of("user"), of("kmsUri"), of("group")];
  const start = Number(of("at"));
  // Ahead of the GMS, so that keys are active when they arrive.
  const now = () => start + 60_000 + performance.now();
  const database = await IndexedDbStorage.open("group-client");
  const storage = new SealedStorage(database, await database.storageKey());
  const ring = await GroupKeyRing.open(storage, { userUri, now });
  let outcome: string | undefined;
  let posts = 0;
  if (of("gms") !== "") {
    const store = new KeyStore(storage);
    const trust = new KmsTrust({ home: kmsUri });
    const core = await load();
    const client = new KmsClient({
      url: of("kms"),
      kmsUri,
      userUri,
      now: () => start,
      token: async () => of("kmsToken"),
      fetch: (url, init) => {
        posts++;
        return fetch(url, init);
      },
    });
    const options = { client, store, trust, core, now: () => start, random: systemRandom };
    await new Provisioner(options).provision();
    const keys = await loadKeys(core, store, trust, { userUri });
    const transport = webSocketTransport({ url: of("gms"), random: systemRandom });
    const sip = createSipEndpoint({ transports: [transport], clock: systemClock, random: systemRandom });
    await sip.start();
    let settled = { resolve: () => {}, reject: (_: Error) => {} };
    const message = new Promise<void>((resolve, reject) => {
      settled = { resolve, reject };
    });
    const member = createGroupClient({
      userUri,
      keys: () => keys,
      ring,
      gms: { uri: of("gmsUri"), kmsUri, sipUri: "sip:gms@gms.invalid" },
      groups: [group],
      way: "sip",
      sip,
      token: async () => of("gmsToken"),
      now,
      random: systemRandom,
      onEvent: (event) => {
        if (event.type === "message") {
          outcome ??= event.taken.outcome;
          settled.resolve();
        }
        if (event.type === "subscription-lost") settled.reject(new Error(`${event.cause} ${event.status}`));
      },
    });
    member.start();
    await message;
    await member.stop();
    await sip.close();
    keys.destroy();
    core.destroy();
  }
  const current = ring.current(group);
  const key = current && toHex(current.key.reveal());
  const records = await database.list("group-key/");
  const octets = await Promise.all(records.map((name) => database.get(name)));
  const report = {
    ...(current && { gmkId: formatKeyId(current.gmkId), text: current.text, state: current.state }),
    ...(key !== undefined && { key, inClear: octets.some((record) => toHex(record!).includes(key)) }),
    ...defined({ outcome }),
    posts,
    records,
  };
  ring.close();
  database.close();
  return report;
}

const report = await run().catch((error: unknown): GroupReport => ({ error: String(error) }));
const element = document.createElement("output");
element.textContent = JSON.stringify(report);
document.body.append(element);
