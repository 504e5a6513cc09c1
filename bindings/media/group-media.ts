/**
 * Media of a group (TS 33.180 7.4.1, 7.5.1): each member sends under a key of its own, derived from the GMK and its
 * GUK-ID; a receiver finds it from the MKI alone. Several GMKs may be in use at a time, as while a new one spreads.
 */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { andThen, type MaybePromise } from "../../base/maybe-promise.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { KeyId } from "../identity/purpose-tag.ts";
import type { DeliveredKey } from "../mikey/delivered-key.ts";
import { groupCsId, type MediaService } from "./cs-ids.ts";
import { drawnBlocks, type IndexBlocks, StreamIndexes } from "./index-blocks.ts";
import { GROUP_MKI_BYTES, gmkIdOf, groupMki, readGroupMki } from "./mki.ts";
import { guessIndex, SEQUENCE_NUMBERS } from "./packet-index.ts";
import { sequenceNumberOf } from "./rtp.ts";
import { SrtcpReceiver, SrtcpSender, type UnprotectedRtcp } from "./srtcp.ts";
import { type RocTransport, SrtpReceiver, SrtpSender, type UnprotectedRtp } from "./srtp.ts";
import { type MediaRefusal, refused } from "./streams.ts";
import { drawSsrc, UsedSsrcs } from "./used-ssrcs.ts";

/** The GMKs of a group, as the client's key ring has them; asked for each packet, so that a change counts at once. */
export interface GroupMediaKeys {
  /** The GMK to send under: of the active ones the one activated last. */
  sending(): DeliveredKey | undefined;
  /** A GMK to receive under; undefined for those unknown, expired or revoked. */
  receiving(gmkId: KeyId): DeliveredKey | undefined;
}

export interface GroupMediaOptions {
  readonly keys: GroupMediaKeys;
  readonly service: MediaService;
  /**
   * ROC transport of the key's SRTP profile. When absent, every packet carries the ROC, as in the default profile
   * (E.2.2).
   */
  readonly roc?: RocTransport | "none";
  /** As in `StreamsOptions`. */
  readonly maxStreams?: number;
  readonly maxStreamsOfSender?: number;
  readonly replayWindow?: number;
  /** The source of the indexes of one's own streams; drawn when absent. Without a ROC in the packets they begin at 0. */
  readonly blocks?: IndexBlocks;
  readonly random?: RandomSource;
}

/** Default profile of a GMK: table E.2-1. */
const EVERY_PACKET: RocTransport = { rate: 1 };

/** A member's end of the media of one group. */
export class GroupMedia {
  readonly #options: GroupMediaOptions;
  readonly #roc: RocTransport | undefined;
  readonly #ssrcs = new UsedSsrcs();
  /** SSRCs of all streams that there were. */
  readonly #given = new Set<number>();
  readonly #rtp: SrtpReceiver;
  readonly #rtcp: SrtcpReceiver;

  constructor(options: GroupMediaOptions) {
    this.#options = options;
    const { roc = EVERY_PACKET, maxStreams, maxStreamsOfSender, replayWindow } = options;
    this.#roc = roc === "none" ? undefined : roc;
    const shared = {
      mkiBytes: GROUP_MKI_BYTES,
      resolve: (mki: Uint8Array) => this.#master(mki),
      ...defined({ maxStreams, maxStreamsOfSender, replayWindow }),
    };
    this.#rtp = new SrtpReceiver({ ...shared, roc: this.#roc });
    this.#rtcp = new SrtcpReceiver(shared);
  }

  /** A stream of one's own, with an SSRC drawn for it unless one is given: one that no other stream here has or had. */
  sender(given?: number): GroupMediaSender {
    const ssrc = given ?? this.#drawSsrc();
    this.#given.add(ssrc);
    const { keys, service, random = systemRandom, blocks = drawnBlocks(random) } = this.#options;
    const csId = groupCsId(service);
    return new GroupMediaSender({ keys, csId, ssrc, roc: this.#roc, ssrcs: this.#ssrcs, blocks });
  }

  #drawSsrc(): number {
    const { random = systemRandom } = this.#options;
    for (;;) {
      const ssrc = drawSsrc(random);
      if (!this.#given.has(ssrc)) return ssrc;
    }
  }

  /** An SRTP packet of any member. Never throws for what is in it; what is refused changes nothing. */
  receive(packet: Uint8Array): MaybePromise<UnprotectedRtp | MediaRefusal> {
    return andThen(this.#rtp.unprotect(packet), (result) => (result.ok ? this.#stillUsable(result) : result));
  }

  /** An SRTCP packet, as floor control off-network has it (TS 33.180 9.4.6). */
  receiveRtcp(packet: Uint8Array): MaybePromise<UnprotectedRtcp | MediaRefusal> {
    return andThen(this.#rtcp.unprotect(packet), (result) =>
      result.ok ? this.#stillUsable(result) : result,
    );
  }

  /** Forgets what was derived from GMKs that may not be received under any more. */
  prune(): void {
    const keep = (mki: Uint8Array) => this.#options.keys.receiving(gmkIdOf(mki)) !== undefined;
    this.#rtp.prune(keep);
    this.#rtcp.prune(keep);
  }

  /** Session keys are kept from packet to packet, and a GMK may have been revoked since. */
  #stillUsable<T extends { readonly mki: Uint8Array }>(result: T): T | MediaRefusal {
    if (this.#options.keys.receiving(gmkIdOf(result.mki)) !== undefined) return result;
    this.prune();
    return refused("unknown-key");
  }

  #master(mki: Uint8Array) {
    const { gmkId, gukId } = readGroupMki(mki);
    // Both have the tag of a GMK, which the salt leaves as it is (5.2.3).
    if (gukId >>> 28 !== gmkId >>> 28) return undefined;
    return this.#options.keys.receiving(gmkId)?.srtpMaster(groupCsId(this.#options.service), gukId);
  }
}

interface SenderOptions {
  readonly keys: GroupMediaKeys;
  readonly csId: number;
  readonly ssrc: number;
  readonly roc: RocTransport | undefined;
  readonly ssrcs: UsedSsrcs;
  readonly blocks: IndexBlocks;
}

/** Sends one stream, and changes to a new GMK in the middle of it when the key ring does. */
export class GroupMediaSender {
  readonly #options: SenderOptions;
  /** The ROC values that the stream may use. They go on through changes of the key. */
  readonly #rocs: StreamIndexes;
  readonly #rtcpIndexes: StreamIndexes;
  #rtp: { readonly key: DeliveredKey; readonly sender: MaybePromise<SrtpSender> } | undefined;
  #rtcp: { readonly key: DeliveredKey; readonly sender: MaybePromise<SrtcpSender> } | undefined;
  readonly #rtcpKeys = new WeakSet<DeliveredKey>();
  /** Index of the last packet: a key may change just when the sequence number wraps. */
  #lastIndex: number | undefined;
  #lastRtcpIndex = -1;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#rocs = new StreamIndexes(options.blocks, "roc");
    this.#rtcpIndexes = new StreamIndexes(options.blocks, "srtcp");
  }

  get ssrc(): number {
    return this.#options.ssrc;
  }

  /**
   * Protects an RTP packet with `ssrc`.
   *
   * @throws MikeySakkeError usage: `NO_GROUP_KEY`, `SSRC_USED`, `INDEXES_EXHAUSTED`, and as `SrtpSender.protect`
   */
  protect(packet: Uint8Array): MaybePromise<Uint8Array> {
    const key = this.#key();
    if (!this.#hasRoom(packet)) return andThen(this.#rocs.more(), () => this.protect(packet));
    if (this.#rtp?.key !== key) this.#rtp = { key, sender: this.#newRtp(key, packet) };
    return andThen(this.#rtp.sender, (sender) => {
      // Others may have gone before while the sender was made.
      if (!this.#hasRoom(packet)) return this.protect(packet);
      const sealed = sender.protect(packet);
      this.#lastIndex = sender.lastIndex;
      return sealed;
    });
  }

  /** Protects an RTCP packet with `ssrc`: floor control off-network uses the keys of media. Errors as `protect`. */
  protectRtcp(packet: Uint8Array): MaybePromise<Uint8Array> {
    const key = this.#key();
    if (!this.#hasRoomForRtcp()) {
      return andThen(this.#rtcpIndexes.more(), (block) => {
        this.#rtcp = undefined;
        this.#lastRtcpIndex = Math.max(block.first, this.#lastRtcpIndex);
        return this.protectRtcp(packet);
      });
    }
    if (this.#rtcp?.key !== key) this.#rtcp = { key, sender: this.#newRtcp(key) };
    return andThen(this.#rtcp.sender, (sender) => {
      if (!this.#hasRoomForRtcp()) return this.protectRtcp(packet);
      const sealed = sender.protect(packet);
      this.#lastRtcpIndex = sender.lastIndex;
      return sealed;
    });
  }

  #key(): DeliveredKey {
    const key = this.#options.keys.sending();
    if (key === undefined)
      throw new MikeySakkeError("usage", "NO_GROUP_KEY", "no GMK of the group is active");
    return key;
  }

  #hasRoom(packet: Uint8Array): boolean {
    // Where no packet carries the ROC it begins with 0 (RFC 3711 3.3.1).
    if (this.#options.roc === undefined) return true;
    const { block } = this.#rocs;
    return block !== undefined && this.#rocOf(packet) < block.end;
  }

  #hasRoomForRtcp(): boolean {
    const { block } = this.#rtcpIndexes;
    return block !== undefined && this.#lastRtcpIndex < block.end - 1;
  }

  #rocOf(packet: Uint8Array): number {
    if (this.#lastIndex === undefined) return this.#rocs.block?.first ?? 0;
    const index = guessIndex(this.#lastIndex, sequenceNumberOf(packet));
    return Math.max(Math.floor(index / SEQUENCE_NUMBERS), 0);
  }

  #newRtp(key: DeliveredKey, first: Uint8Array): MaybePromise<SrtpSender> {
    const { ssrc, roc, ssrcs, csId } = this.#options;
    ssrcs.take(key, `SRTP ${csId}`, ssrc);
    const mki = groupMki({ gmkId: key.keyId, gukId: key.ukId });
    return SrtpSender.create(key.srtpMaster(csId), { ssrc, mki, roc, firstRoc: this.#rocOf(first) });
  }

  #newRtcp(key: DeliveredKey): MaybePromise<SrtcpSender> {
    const { ssrc, ssrcs, csId } = this.#options;
    if (!this.#rtcpKeys.has(key)) ssrcs.take(key, `SRTCP ${csId}`, ssrc);
    this.#rtcpKeys.add(key);
    const mki = groupMki({ gmkId: key.keyId, gukId: key.ukId });
    const lastIndex = this.#lastRtcpIndex;
    return SrtcpSender.create(key.srtpMaster(csId), { ssrc, mki, lastIndex });
  }
}
