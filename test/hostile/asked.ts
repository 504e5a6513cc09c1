/** Records what became of requests that ask a server to keep something for its sender: subscriptions and bindings. */

export interface Answers {
  readonly granted: number;
  /** Their connection ended first: they may have been granted, and the answer lost with it. */
  readonly unanswered: number;
}

export class Asked {
  /** The answers by method, Call-ID and CSeq of the request. */
  readonly #answers = new Map<string, "granted" | "refused" | undefined>();

  /** A SIP message as it was sent or received, or several of them. */
  see(text: string): void {
    for (const message of text.split(/(?=^(?:SIP\/2\.0 [2-6]\d\d |(?:SUBSCRIBE|PUBLISH) \S))/m))
      this.#one(message);
  }

  to(method: "SUBSCRIBE" | "PUBLISH"): Answers {
    const answers = [...this.#answers].filter(([key]) => key.startsWith(method)).map(([, answer]) => answer);
    return {
      granted: answers.filter((answer) => answer === "granted").length,
      unanswered: answers.filter((answer) => answer === undefined).length,
    };
  }

  #one(text: string): void {
    const [, number, method] = /^CSeq *: *(\d+) *(\w+)/im.exec(text) ?? [];
    if (method !== "SUBSCRIBE" && method !== "PUBLISH") return;
    const key = `${method} ${/^(?:Call-ID|i) *: *(\S+)/im.exec(text)?.[1]} ${number}`;
    const [, status] = /^SIP\/2\.0 ([2-6])/.exec(text) ?? [];
    if (text.startsWith(`${method} `) && !/^Expires *: *0\r$/im.test(text) && !this.#answers.has(key)) {
      this.#answers.set(key, undefined);
    }
    if (status === undefined || !this.#answers.has(key)) return;
    if (this.#answers.get(key) !== "granted") this.#answers.set(key, status === "2" ? "granted" : "refused");
  }
}
