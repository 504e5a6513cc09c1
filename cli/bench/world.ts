/** Keys and messages to time the operations on: a KMS, a GMS, a member, and one message of each kind of input. */
import {
  type Core,
  destroyPlan,
  EccsiPublicKey,
  EccsiSigner,
  groupIds,
  type Initiator,
  type KeySet,
  type KmsDomain,
  MemoryReceiverState,
  type OpenContext,
  openMessage,
  planSeal,
  type RandomSource,
  Receiver,
  SakkeReceiver,
  type SealedMessage,
  type SealKeys,
  sealSlice,
  systemRandom,
  utf8,
} from "../../bindings/index.ts";
import { BenchKms, GROUP_URI } from "./kms.ts";

/** Signers enough that none is remembered when its turn comes again. */
const STRANGERS = 160;

export interface Signature {
  readonly uid: Uint8Array;
  readonly octets: Uint8Array;
}

export interface WorldOptions {
  /** Ms since the Unix epoch; the system's clock when absent. */
  readonly now?: number;
  /** The source of all keys and messages. With a seeded one and a time of its own, a world is the same each time. */
  readonly random?: RandomSource;
}

export class World {
  readonly core: Core;
  readonly now: number;
  readonly random: RandomSource;
  readonly kms: BenchKms;
  readonly gms: Initiator;
  readonly gmsKeys: KeySet;
  readonly signer: EccsiSigner;
  readonly memberKeys: KeySet;
  /** Not prepared. */
  readonly plain: SakkeReceiver;
  readonly prepared: SakkeReceiver;
  /** The member with its key prepared. */
  readonly receiver: Receiver;
  readonly ssv: Uint8Array;
  /** Encapsulated to the member. */
  readonly sed: Uint8Array;
  readonly text = utf8("thirty-two octets to be signed..");
  /** One signature by each of many signers. */
  readonly strangers: readonly Signature[];
  readonly known: Signature;
  /** Apart from the domain's, whose memory of signers the strangers would flush. */
  readonly strangersKey: EccsiPublicKey;
  #counter = 0;

  constructor(core: Core, { now = Date.now(), random = systemRandom }: WorldOptions = {}) {
    this.core = core;
    this.now = now;
    this.random = random;
    this.kms = new BenchKms(core, now, random);
    this.ssv = random(16);
    const { domain } = this.kms;
    const [gmsKeys, memberKeys] = this.kms.issue(["sip:gms@example.org", "sip:member@example.org"]);
    this.gmsKeys = gmsKeys!;
    this.memberKeys = memberKeys!;
    this.gms = this.kms.makeGms();
    this.signer = signerOf(domain, this.gmsKeys);
    const { uid, rsk } = this.memberKeys;
    this.plain = SakkeReceiver.load(domain.encryption, uid, rsk);
    this.prepared = SakkeReceiver.load(domain.encryption, uid, rsk, { prepare: true });
    this.receiver = Receiver.load([domain], [this.memberKeys], { prepare: true });
    this.sed = domain.encryption.encapsulate(uid, this.ssv);
    this.strangers = this.kms.issue(this.freshUris(STRANGERS)).map((keys) => {
      const signer = signerOf(domain, keys);
      const octets = signer.sign(this.text, random);
      signer.destroy();
      return { uid: keys.uid, octets };
    });
    this.strangersKey = EccsiPublicKey.load(core, domain.certificate.pubAuthKey);
    this.known = { uid: this.gmsKeys.uid, octets: this.signer.sign(this.text, random) };
  }

  get domain(): KmsDomain {
    return this.kms.domain;
  }

  get sealKeys(): SealKeys {
    return { initiator: this.gms, domains: [this.domain], random: this.random };
  }

  /** UIDs as uniform as those of F.2.1, which are hashes. */
  freshUids(count: number): Uint8Array[] {
    return Array.from({ length: count }, () => this.random(32));
  }

  freshUris(count: number): string[] {
    return Array.from({ length: count }, () => `sip:member${this.#counter++}@example.org`);
  }

  /** A new GMK with key parameters to members never seen before, from the URIs to the signed octets. */
  async seal(uris: readonly string[], keys: SealKeys = this.sealKeys): Promise<SealedMessage[]> {
    const parameters = { groups: groupIds([GROUP_URI]), text: "bench" };
    const members = uris.map((uri) => ({ uri }));
    const plan = planSeal(
      { kind: "GMK", members, parameters },
      { initiator: keys.initiator, random: keys.random, now: this.now },
    );
    try {
      return await sealSlice(plan, keys);
    } finally {
      destroyPlan(plan);
    }
  }

  /** Opens as a device would that has seen no message before. */
  async open(octets: Uint8Array, receiver: Receiver = this.receiver): Promise<void> {
    const context: OpenContext = {
      receiver,
      state: new MemoryReceiverState(),
      now: this.now,
      allow: ["GMK"],
      authorise: ({ uri, kmsUri }) => uri === this.gms.uri && kmsUri === this.gms.domain.kmsUri,
    };
    const opened = await openMessage(octets, context);
    if (opened.outcome === "accepted") opened.key.destroy();
  }

  destroy(): void {
    this.plain.destroy();
    this.prepared.destroy();
    this.receiver.destroy();
    this.signer.destroy();
    this.strangersKey.destroy();
    this.gms.destroy();
    this.kms.destroy();
  }
}

function signerOf(domain: KmsDomain, { uid, ssk, pvt }: KeySet): EccsiSigner {
  return EccsiSigner.load(domain.authentication, uid, ssk, pvt);
}
