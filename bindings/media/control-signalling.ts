/** Protection of floor and transmission control on-network (TS 33.180 9.4, E.4). */
import { MikeySakkeError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { type KeyId, keyIdFromBytes, keyIdToBytes } from "../identity/purpose-tag.ts";
import { CS_IDS } from "../mikey/codes.ts";
import type { DeliveredKey } from "../mikey/delivered-key.ts";
import type { MediaService } from "./cs-ids.ts";
import { KEY_MKI_BYTES } from "./mki.ts";
import { SrtcpReceiver, SrtcpSender } from "./srtcp.ts";
import { drawSsrc, UsedSsrcs } from "./used-ssrcs.ts";

export interface ControlOptions {
  /** The key to send under: a CSK, or at a server that sends to many a MuSiK. Undefined: none. */
  readonly sending: () => DeliveredKey | undefined;
  /** The key of a K-ID that may be received under. */
  readonly receiving: (keyId: KeyId) => DeliveredKey | undefined;
  readonly service: MediaService;
  readonly random?: RandomSource;
}

/**
 * Floor and transmission control on-network (9.4): SRTCP under the CSK of client and server, or under the MuSiK of all
 * that a server reaches by multicast. Both ends send under one master key: each draws SSRCs of its own.
 */
export class ControlSignalling {
  readonly receiver: SrtcpReceiver;
  readonly #options: ControlOptions;
  readonly #ssrcs = new UsedSsrcs();

  constructor(options: ControlOptions) {
    this.#options = options;
    this.receiver = new SrtcpReceiver({
      mkiBytes: KEY_MKI_BYTES,
      resolve(mki) {
        const key = options.receiving(keyIdFromBytes(mki));
        const csId = key && controlCsId(key, options.service);
        return csId === undefined ? undefined : key?.srtpMaster(csId);
      },
    });
  }

  /** @throws MikeySakkeError usage `NO_CONTROL_KEY`, `NOT_A_CONTROL_KEY`, `SSRC_USED` */
  sender(ssrc: number = drawSsrc(this.#options.random ?? systemRandom)): MaybePromise<SrtcpSender> {
    const key = this.#options.sending();
    if (key === undefined)
      throw new MikeySakkeError("usage", "NO_CONTROL_KEY", "no CSK or MuSiK to send under");
    const csId = controlCsId(key, this.#options.service);
    if (csId === undefined) {
      throw new MikeySakkeError(
        "usage",
        "NOT_A_CONTROL_KEY",
        `${key.kind}: does not protect control signalling`,
      );
    }
    this.#ssrcs.take(key, `SRTCP ${csId}`, ssrc);
    return SrtcpSender.create(key.srtpMaster(csId), { ssrc, mki: keyIdToBytes(key.keyId) });
  }
}

/** Table E.1.3-1; undefined for keys that have no row there. */
function controlCsId({ kind }: DeliveredKey, service: MediaService): number | undefined {
  if (kind === "CSK") return service === "mcptt" ? CS_IDS.MCPTT_CSK : CS_IDS.MCVIDEO_CSK;
  if (kind === "MuSiK") return service === "mcptt" ? CS_IDS.MCPTT_MUSIK : CS_IDS.MCVIDEO_MUSIK;
  return undefined;
}
