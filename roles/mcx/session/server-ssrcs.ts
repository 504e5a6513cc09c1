/**
 * SSRCs of floor control that the server sends. Several calls of a client are under one CSK, where the same SSRC twice would
 * let nonces come again (RFC 7714 8.4): each leg gets the next one. CSKs do not outlive the process.
 */

import type { RandomSource } from "../../../base/random.ts";
import { drawControlSsrc } from "../../../bindings/media/index.ts";

const SERVER_BIT = 0x80000000;

export class ServerSsrcs {
  #next: number;

  constructor(random: RandomSource) {
    this.#next = drawControlSsrc("server", random) - SERVER_BIT;
  }

  next(): number {
    const ssrc = SERVER_BIT + this.#next;
    this.#next = (this.#next + 1) % SERVER_BIT;
    return ssrc;
  }
}
