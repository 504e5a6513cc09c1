/**
 * Tells how much of a WebSocket message has come, read from the headers of its frames (RFC 6455 5.2): `ws` tells of a
 * message when it is complete, and a peer that never completes it is to be seen before.
 */

const FIN = 0x80;
const CONTROL = 0x08;
const MASK = 0x80;
const LENGTH = 0x7f;
/** First octet of an extended length, in 2 or 8 octets. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASK_BYTES = 4;
/** Octets of memory that a piece takes besides its content: it is an array of its own until the message is complete. */
const PIECE_COST = 512;

export class WebSocketProgress {
  /** Octets of the header that are still to come, and what is known of it. */
  #first = 0;
  #header: "first" | "length" | "extended" | "mask" = "first";
  #left = 1;
  #payload = 0;
  #inPayload = false;
  #isMasked = false;
  #isFragmented = false;
  #held = 0;
  #pieces = 0;

  /** A frame or a message has begun, and is not complete. */
  get pending(): boolean {
    return this.#isFragmented || this.#inPayload || this.#header !== "first";
  }

  /** Octets of memory that it takes. */
  get held(): number {
    return this.pending ? this.#held + PIECE_COST * this.#pieces : 0;
  }

  /** Takes what has come next. True when a frame was completed that ends a message, or is none. */
  push(bytes: Uint8Array): boolean {
    this.#held += bytes.length;
    this.#pieces++;
    let whole = false;
    let at = 0;
    while (at < bytes.length) {
      if (this.#inPayload) {
        const taken = Math.min(this.#payload, bytes.length - at);
        this.#payload -= taken;
        at += taken;
        if (this.#payload === 0) whole = this.#frameEnds() || whole;
      } else {
        if (this.#readHeader(bytes[at++]!)) whole = this.#frameEnds() || whole;
      }
      if (!this.pending) {
        this.#held = bytes.length - at;
        this.#pieces = 1;
      }
    }
    return whole;
  }

  /** True when the frame is complete with that octet, having no payload. */
  #readHeader(octet: number): boolean {
    switch (this.#header) {
      case "first":
        this.#first = octet;
        this.#header = "length";
        return false;
      case "length": {
        const length = octet & LENGTH;
        this.#isMasked = (octet & MASK) !== 0;
        this.#payload = length < LENGTH_16 ? length : 0;
        if (length < LENGTH_16) return this.#headerEnds();
        this.#left = length === LENGTH_64 ? 8 : 2;
        this.#header = "extended";
        return false;
      }
      case "extended":
        this.#payload = this.#payload * 256 + octet;
        return --this.#left === 0 && this.#headerEnds();
      case "mask":
        return --this.#left === 0 && this.#payloadBegins();
    }
  }

  #headerEnds(): boolean {
    if (!this.#isMasked) return this.#payloadBegins();
    this.#header = "mask";
    this.#left = MASK_BYTES;
    return false;
  }

  #payloadBegins(): boolean {
    this.#header = "first";
    this.#inPayload = this.#payload > 0;
    return !this.#inPayload;
  }

  /** True when no message is left open by it. A control frame may stand among the fragments of a message. */
  #frameEnds(): boolean {
    this.#inPayload = false;
    if ((this.#first & CONTROL) === 0) {
      this.#isFragmented = (this.#first & FIN) === 0;
      this.#pieces++;
    }
    return !this.#isFragmented;
  }
}
