/** The video of all who send to a group, each stream put in order and into NAL units again. */
import { H264Depacketiser, PacketOrder } from "../../bindings/media/index.ts";
import type { ReceivedVideo } from "../../roles/client/calls/video-call.ts";

/** A member may send under many SSRCs, and each stream holds packets: the one that was silent the longest makes room. */
const MAX_STREAMS = 32;

interface Stream {
  readonly order: PacketOrder<ReceivedVideo>;
  readonly units: H264Depacketiser;
}

export class VideoStreams {
  readonly #take: (units: readonly Uint8Array[]) => void;
  /** The one that was heard last is the last. */
  readonly #streams = new Map<string, Stream>();
  #incompleteBefore = 0;

  /** `take` gets the NAL units of each stream in their order. */
  constructor(take: (units: readonly Uint8Array[]) => void) {
    this.#take = take;
  }

  /** The number of streams that packets are held of. */
  get size(): number {
    return this.#streams.size;
  }

  /** The number of NAL units that were dropped, as a part of them was lost. */
  get incomplete(): number {
    return [...this.#streams.values()].reduce(
      (sum, { units }) => sum + units.incomplete,
      this.#incompleteBefore,
    );
  }

  take(video: ReceivedVideo): void {
    const name = `${video.ssrc} ${video.user ?? ""}`;
    const stream = this.#streams.get(name) ?? { order: new PacketOrder(), units: new H264Depacketiser() };
    this.#streams.delete(name);
    this.#streams.set(name, stream);
    this.#write(stream, stream.order.push(video.sequenceNumber, video));
    const [silent] = this.#streams.keys();
    if (this.#streams.size > MAX_STREAMS) this.#end(silent!);
  }

  /** Gives what is still held, and ends all streams. */
  flush(): void {
    for (const name of this.#streams.keys()) this.#end(name);
  }

  #end(name: string): void {
    const stream = this.#streams.get(name)!;
    this.#write(stream, stream.order.flush());
    this.#incompleteBefore += stream.units.incomplete;
    this.#streams.delete(name);
  }

  #write({ units }: Stream, videos: readonly ReceivedVideo[]): void {
    const whole = videos.flatMap(({ payload, sequenceNumber }) => units.take(payload, sequenceNumber));
    if (whole.length > 0) this.#take(whole);
  }
}
