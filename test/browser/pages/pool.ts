/** Seals to a group with Web Workers, and opens one of the messages. */

import {
  destroyPlan,
  Initiator,
  KmsDomain,
  MemoryReceiverState,
  openMessage,
  planSeal,
  Receiver,
  systemRandom,
} from "../../../bindings/index.ts";
import { createPool } from "../../../bindings/pool/index.ts";
import {
  certificatesOf,
  type KmsDocument,
  keySetsOf,
  readKmsDocument,
  withUid,
} from "../../../documents/kms-xml/index.ts";

export interface PoolReport {
  readonly isolated?: boolean;
  readonly shared?: boolean;
  readonly workers?: number;
  readonly sealed?: number;
  /** Whether the message of one member brought the key that was sealed. */
  readonly sameKey?: boolean;
  readonly error?: string;
}

const MEMBERS = 40;
const MINE = 17;

async function run(): Promise<PoolReport> {
  const query = new URLSearchParams(location.search);
  const now = Date.parse(query.get("at")!);
  const [certificate] = certificatesOf(await document("kms.xml"));
  const keysOf = async (name: string) => keySetsOf(await document(name)).map((k) => withUid(k, certificate!));
  const pool = await createPool({ workers: 2 });
  const domain = KmsDomain.load(pool.core, certificate!);
  const initiator = Initiator.load(domain, await keysOf("gms.xml"));
  const mine = await keysOf("keys.xml");
  const receiver = Receiver.load([domain], mine);
  const members = Array.from({ length: MEMBERS }, (_, i) => ({
    uri: i === MINE ? mine[0]!.userUri : `sip:member${i}@example.org`,
  }));
  const plan = planSeal({ kind: "GMK", members }, { initiator, random: systemRandom, now });
  const messages = [];
  for await (const batch of pool.sealGroup(plan, { initiator, domains: [domain] }, { batchSize: 8 })) {
    messages.push(...batch);
  }
  const opened = await openMessage(messages[MINE]!.octets, {
    receiver,
    state: new MemoryReceiverState(),
    now,
    allow: ["GMK"],
    authorise: ({ uri }) => uri === initiator.uri,
  });
  const key = opened.outcome === "accepted" ? opened.key.reveal() : undefined;
  const report = {
    isolated: crossOriginIsolated,
    shared: pool.core.shared,
    workers: pool.workers,
    sealed: messages.length,
    sameKey: String(key) === String(plan.key),
  };
  destroyPlan(plan);
  await pool.destroy();
  return report;
}

async function document(name: string): Promise<KmsDocument> {
  return readKmsDocument(await (await fetch(name)).text());
}

let report: PoolReport;
try {
  report = await run();
} catch (error) {
  report = { error: String(error) };
}
globalThis.document.body.append(JSON.stringify(report));
