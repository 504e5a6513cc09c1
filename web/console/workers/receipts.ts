/** What receivers tell of the user's own messages, sealed in the storage. */
import { fromUtf8, utf8 } from "../../../base/bytes.ts";
import { SDS_DISPOSITIONS } from "../../../bindings/mcdata/index.ts";
import type { DataNotification } from "../../../roles/client/mcx/options.ts";
import type { SecretStorage } from "../../../roles/identity/index.ts";
import type { FromKeys, ReceiptView } from "../../client/messages.ts";

export interface ReceiptsOptions {
  readonly storage: SecretStorage;
  readonly tell: (message: FromKeys) => void;
  readonly now: () => number;
}

const FOLDER = "receipts";
/** Most messages whose receipts are kept; those of older ones are dropped. */
const MOST = 500;
const DIGITS = 15;

export class Receipts {
  readonly #options: ReceiptsOptions;
  /** By message, with the name in the storage. */
  readonly #own = new Map<string, { readonly name: string; readonly view: ReceiptView }>();

  constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  /** Tells all that are kept. */
  async read(): Promise<void> {
    const { storage, tell } = this.#options;
    const names = await storage.list(`${FOLDER}/`);
    for (const old of names.splice(0, Math.max(0, names.length - MOST))) await storage.delete(old);
    for (const name of names) {
      const octets = await storage.get(name).catch(() => undefined);
      if (octets === undefined) continue;
      const view = JSON.parse(fromUtf8(octets)) as ReceiptView;
      this.#own.set(view.messageId, { name, view });
      tell({ type: "receipt", receipt: view });
    }
  }

  /** A receiver of a message of the user's tells what became of it. */
  async told({ messageId, from, disposition }: DataNotification): Promise<void> {
    const { storage, tell, now } = this.#options;
    const known = this.#own.get(messageId);
    const isRead =
      disposition === SDS_DISPOSITIONS.READ || disposition === SDS_DISPOSITIONS.DELIVERED_AND_READ;
    if (!isRead && disposition !== SDS_DISPOSITIONS.DELIVERED) return;
    const without = (users: readonly string[] = []) => users.filter((user) => user !== from);
    const read = isRead ? [...without(known?.view.read), from] : (known?.view.read ?? []);
    const delivered = without(known?.view.delivered);
    const view = { messageId, read, delivered: read.includes(from) ? delivered : [...delivered, from] };
    const name = known?.name ?? `${FOLDER}/${String(now()).padStart(DIGITS, "0")}-${messageId}`;
    this.#own.set(messageId, { name, view });
    tell({ type: "receipt", receipt: view });
    await storage.put(name, utf8(JSON.stringify(view)));
  }
}
