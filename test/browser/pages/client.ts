/** A page that keeps itself provisioned: its keys are in IndexedDB, sealed under a key that is there too. */
import { fromHex, load, systemRandom, toHex } from "../../../bindings/index.ts";
import {
  IndexedDbStorage,
  KeyStore,
  KmsClient,
  KmsTrust,
  loadKeys,
  Provisioner,
  SealedStorage,
  type TransportKeys,
} from "../../../roles/identity/index.ts";

export interface ClientReport {
  readonly periods?: readonly number[];
  /** Paths that were posted to. */
  readonly requests?: readonly string[];
  /** How many of the requests were signed. */
  readonly signed?: number;
  /** URI of the Initiator into which the stored keys were loaded. */
  readonly initiator?: string;
  readonly rejected?: number;
  readonly names?: readonly string[];
  /** Whether the storage key can be taken out, and whether a record shows the SSK. */
  readonly extractable?: boolean;
  readonly inClear?: boolean;
  readonly error?: string;
}

async function run(): Promise<ClientReport> {
  const query = new URLSearchParams(location.search);
  const [user, kmsUri] = [query.get("user")!, query.get("kmsUri")!];
  const now = () => Number(query.get("at"));
  const requests: string[] = [];
  let signed = 0;
  const database = await IndexedDbStorage.open("mikey-sakke");
  const key = await database.storageKey();
  const store = new KeyStore(new SealedStorage(database, key));
  const trust = new KmsTrust({ home: kmsUri });
  const client = new KmsClient({
    url: query.get("kms")!,
    kmsUri,
    userUri: user,
    now,
    token: async () => query.get("token")!,
    protection: () => ({ ...namedKey("trk", query), ...namedKey("ink", query) }),
    fetch(url, init) {
      if (init.body.includes("SignedKmsRequest")) signed++;
      requests.push(new URL(url).pathname.replace("/keymanagement/identity/v1/", ""));
      return fetch(url, init);
    },
  });
  const core = await load();
  const provisioner = new Provisioner({ client, store, trust, core, now, random: systemRandom });
  const { periods } = await provisioner.provision();
  const keys = await loadKeys(core, store, trust, { userUri: user });
  const [keySet] = await store.keySets(user, kmsUri);
  const names = await database.list("");
  const records = await Promise.all(names.map((name) => database.get(name)));
  const report = {
    periods: periods.get(user)!,
    requests,
    signed,
    initiator: keys.initiator.uri,
    rejected: keys.rejected.length,
    names,
    extractable: key.handle.extractable,
    inClear: records.some((record) => toHex(record!).includes(toHex(keySet!.ssk))),
  };
  await database.delete("no-such-record");
  keys.destroy();
  core.destroy();
  database.close();
  return report;
}

function namedKey(kind: "trk" | "ink", query: URLSearchParams): TransportKeys {
  const [id, hex] = query.get(kind)?.split(" ") ?? [];
  return id === undefined || hex === undefined ? {} : { [kind]: { id, key: fromHex(hex) } };
}

const report = await run().catch((error: unknown): ClientReport => ({ error: String(error) }));
const element = document.createElement("output");
element.textContent = JSON.stringify(report);
document.body.append(element);
