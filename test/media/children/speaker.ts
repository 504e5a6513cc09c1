/**
 * A device of a user, as a process: call after call under one GMK, each packet written down as it would go out. The job
 * says the key, the storage and, to have it worse than chance would, the SSRC of all calls.
 */
import { openSync, writeSync } from "node:fs";
import { defined } from "../../../base/defined.ts";
import { DeliveredKey, fromHex } from "../../../bindings/index.ts";
import { GroupMedia } from "../../../bindings/media/index.ts";
import { ReservedBlocks } from "../../../roles/client/calls/index.ts";
import { FileStorage } from "../../../roles/identity/file-storage-node.ts";
import { rtcp, rtp } from "../packets.ts";

export interface SpeakerJob {
  readonly key: string;
  readonly rand: string;
  /** Where packets are written: SSRC, ROC and sequence number of SRTP, SSRC and index of SRTCP, ten octets each. */
  readonly srtp: string;
  readonly srtcp: string;
  /** Folder of the storage; without one blocks are drawn. */
  readonly store?: string;
  readonly device?: number;
  readonly ssrc?: number;
  readonly calls: number;
  readonly packets: number;
  readonly messages: number;
}

export const NONCE_BYTES = 10;
const ROC_AND_MKI = 12;

const job = JSON.parse(process.argv[2]!) as SpeakerJob;
const key = new DeliveredKey(fromHex(job.key), {
  kind: "GMK",
  keyId: 0x0123456,
  ukId: 0x0654321,
  rand: fromHex(job.rand),
});
const userUri = "sip:alice@home.example";
const { device } = job;
const blocks =
  job.store === undefined
    ? undefined
    : new ReservedBlocks(await FileStorage.open(job.store), {
        userUri,
        ...defined({ device }),
      });
const [srtp, srtcp] = [openSync(job.srtp, "a"), openSync(job.srtcp, "a")];

for (let call = 0; call < job.calls; call++) {
  const keys = { sending: () => key, receiving: () => key };
  const media = new GroupMedia({ keys, service: "mcptt", ...defined({ blocks }) });
  const sender = media.sender(job.ssrc);
  const start = Math.floor(Math.random() * 0x8000);
  for (let n = 0; n < job.packets; n++) {
    const packet = await sender.protect(rtp(sender.ssrc, (start + n) & 0xffff, new Uint8Array(1)));
    const nonce = new Uint8Array(NONCE_BYTES);
    nonce.set(packet.subarray(8, 12));
    nonce.set(packet.subarray(-4), 4);
    nonce.set(packet.subarray(2, 4), 8);
    writeSync(srtp, nonce);
  }
  for (let n = 0; n < job.messages; n++) {
    const packet = await sender.protectRtcp(rtcp(sender.ssrc, new Uint8Array(4)));
    const nonce = new Uint8Array(NONCE_BYTES);
    nonce.set(packet.subarray(4, 8));
    nonce.set(packet.subarray(packet.length - ROC_AND_MKI, packet.length - ROC_AND_MKI + 4), 4);
    writeSync(srtcp, nonce);
  }
}
