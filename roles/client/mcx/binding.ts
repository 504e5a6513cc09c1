/** The binding of a client at its server: a PUBLISH with a CSK, renewed in time (TS 24.379 7.2.1). */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { MEDIA, writeMultipart } from "../../../transport/group-xml/index.ts";
import { EVENT, EXPIRES, type SipResponse, WARNING } from "../../../transport/sip/index.ts";
import { withToken } from "./authorised.ts";
import { sealCsk } from "./csk-upload.ts";
import type { HeldControlKeys } from "./held-control-keys.ts";
import type { McxClientOptions } from "./options.ts";

const EXPIRES_SECONDS = 3600;
const AGAIN_MS = 10_000;

/** A request that the server answered with a refusal. */
export class McxRefusedError extends MikeySakkeError {
  readonly status: number;

  constructor(method: string, { status, reason, headers }: SipResponse) {
    const texts = headers.all(WARNING).map(({ text }) => text);
    super("transport", "MCX_REFUSED", `SIP ${method}: ${[`${status} ${reason}`, ...texts].join(", ")}`);
    this.status = status;
  }
}

export class Binding {
  readonly #options: McxClientOptions;
  readonly #held: HeldControlKeys;
  #cancel: (() => void) | undefined;
  #isOpen = false;

  constructor(options: McxClientOptions, held: HeldControlKeys) {
    this.#options = options;
    this.#held = held;
  }

  /**
   * Uploads a new CSK, and keeps the binding from then on.
   *
   * @throws {McxRefusedError}; SIP transport errors; those of sealing
   */
  async open(): Promise<void> {
    const { keys, mcxUri, random, now } = this.#options;
    this.#isOpen = true;
    const { key, octets } = await sealCsk(keys(), mcxUri, { random, now: now() });
    try {
      const expires = await this.#publish(this.#wanted, octets);
      this.#held.add(key);
      this.#renewIn(expires);
      this.#options.onEvent?.({ type: "bound", expires });
    } catch (error) {
      key.destroy();
      throw error;
    }
  }

  /** Takes the binding away. Does not reject: the server ends it in time. */
  async close(): Promise<void> {
    this.#cancel?.();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#publish(0).catch(() => undefined);
  }

  get #wanted(): number {
    return this.#options.expires ?? EXPIRES_SECONDS;
  }

  #renewIn(expires: number): void {
    const { clock } = this.#options;
    this.#cancel?.();
    if (this.#isOpen) this.#cancel = clock.after((expires * 1000 * 2) / 3, () => void this.#renew());
  }

  /** A server that has forgotten the client, as after its restart, needs a CSK again. */
  async #renew(): Promise<void> {
    const { clock, onEvent } = this.#options;
    try {
      this.#renewIn(await this.#publish(this.#wanted));
    } catch (error) {
      if (error instanceof McxRefusedError && error.status === 403) {
        const failed = await this.open().then(
          () => undefined,
          (cause: unknown) => ({ cause }),
        );
        if (failed === undefined) return;
      }
      if (!this.#isOpen) return;
      onEvent?.({ type: "binding-failed", error });
      this.#cancel = clock.after(AGAIN_MS, () => void this.#renew());
    }
  }

  async #publish(expires: number, csk?: Uint8Array): Promise<number> {
    const { endpoint, sipUri, userUri, mcxUri, token } = this.#options;
    const body = csk && writeMultipart([{ contentType: MEDIA.mikey, body: csk }]);
    const authorise = await withToken(token);
    const response = await endpoint.request({
      method: "PUBLISH",
      uri: sipUri,
      from: userUri,
      to: mcxUri,
      ...(body && { contentType: body.contentType, body: body.body }),
      headers(headers) {
        headers.set(EVENT, { value: "poc-settings", params: new Map() }).set(EXPIRES, expires);
        authorise(headers);
      },
    });
    if (response.status >= 300) throw new McxRefusedError("PUBLISH", response);
    return response.headers.get(EXPIRES) ?? expires;
  }
}
