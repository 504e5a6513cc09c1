/** Clients of a real KMS in the same process, with a wire in between that tests can cut and change. */
import { defined } from "../../../base/defined.ts";
import type { KeySet } from "../../../bindings/identity/kms-material.ts";
import {
  KeyStore,
  KmsClient,
  type KmsClientOptions,
  type KmsFetch,
  type KmsFetchInit,
  KmsTrust,
  MemoryStorage,
  type ProvisionEvent,
  Provisioner,
  type ProvisionerOptions,
  SealedStorage,
  type SecretStorage,
  StorageKey,
  type TransportKeys,
} from "../../../roles/identity/index.ts";
import type { TransportKeyKind } from "../../../store/index.ts";
import { ALICE, KMS_URI, ORIGIN, sharedCore, type World } from "../../kms/running-kms.ts";
import { seededRandom } from "../../support/random.ts";

export interface Exchange {
  readonly path: string;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The connection between client and KMS, on which a test can change or refuse messages. */
export class Wire {
  readonly exchanges: Exchange[] = [];
  /** Runs before the KMS gets a request; may throw. */
  onRequest: (path: string) => void = () => {};
  /** Returns the answer that the client gets in place of the KMS's; may throw. */
  onAnswer: (answer: Answer, path: string) => Answer = (answer) => answer;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  readonly fetch: KmsFetch = async (url: string, { body, headers }: KmsFetchInit) => {
    const { pathname: path, origin } = new URL(url);
    if (origin !== ORIGIN) throw new TypeError(`no such host: ${origin}`);
    this.onRequest(path);
    const handled = await this.#world.kms.service.handle({
      path,
      rawBody: new TextEncoder().encode(body),
      authorization: headers.authorization,
      requestId: String(this.exchanges.length),
      remote: "192.0.2.1",
    });
    const answer = this.onAnswer(handled, path);
    this.exchanges.push({ path, body, status: answer.status, answer: answer.body });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };

  /** Paths below the root, since the last call. */
  take(): string[] {
    return this.exchanges.splice(0).map(({ path }) => path.replace("/keymanagement/identity/v1/", ""));
  }
}

export interface Device {
  readonly wire: Wire;
  readonly client: KmsClient;
  readonly storage: SecretStorage;
  readonly store: KeyStore;
  readonly trust: KmsTrust;
  readonly provisioner: Provisioner;
  readonly events: ProvisionEvent[];
}

export interface DeviceOptions extends Partial<Omit<ProvisionerOptions, "client">> {
  readonly userUri?: string;
  /** One that the device shares with another. */
  readonly storage?: SecretStorage;
  readonly protection?: TransportKeys;
  readonly client?: Partial<KmsClientOptions>;
}

/** A device of a user, with storage of its own. Its clock is that of the world. */
export async function makeDevice(world: World, options: DeviceOptions = {}): Promise<Device> {
  const { userUri = ALICE, protection, client: more, storage: shared, ...rest } = options;
  const wire = new Wire(world);
  const storage = shared ?? new SealedStorage(new MemoryStorage(), await StorageKey.generate());
  const store = rest.store ?? new KeyStore(storage);
  const trust = rest.trust ?? new KmsTrust({ home: KMS_URI });
  const client = new KmsClient({
    url: ORIGIN,
    kmsUri: KMS_URI,
    userUri,
    fetch: wire.fetch,
    token: () => world.token(userUri),
    now: () => world.now,
    ...(protection !== undefined && { protection: () => protection }),
    ...more,
  });
  const events: ProvisionEvent[] = [];
  const provisioner = new Provisioner({
    core: await sharedCore(),
    now: () => world.now,
    random: seededRandom(`device of ${userUri}`),
    onEvent: (event) => events.push(event),
    ...rest,
    client,
    store,
    trust,
  });
  return { wire, client, storage, store, trust, provisioner, events };
}

/** TrK and InK of a user, as an operator brings them to the device. */
export async function makeTransportKeys(
  world: World,
  kinds: readonly TransportKeyKind[],
  userUri = ALICE,
): Promise<TransportKeys> {
  const made = await world.kms.admin.newTransportKeys(userUri, { kinds });
  const find = (kind: TransportKeyKind) => {
    const found = made.find((key) => key.kind === kind);
    return found && { id: found.id, key: found.key };
  };
  const [trk, ink] = [find("TrK"), find("InK")];
  return defined({ trk, ink });
}

export async function periodsOf({ store }: Pick<Device, "store">, userUri = ALICE, kmsUri = KMS_URI) {
  return (await store.keySets(userUri, kmsUri)).map((keySet: KeySet) => keySet.keyPeriodNo);
}

/** The code of the error that a promise ends in. */
export async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "none",
    (error: { code?: string }) => error.code ?? String(error),
  );
}
