/** Access tokens of the development issuer of a data folder, and such as no server may take. */
import { join } from "node:path";
import { developmentIssuerOf } from "../../../cli/server/folder-tokens.ts";
import { gmsAudience } from "../../../roles/gms/common/config.ts";
import { kmsAudience } from "../../../roles/kms/common/config.ts";
import { mcxAudience } from "../../../roles/mcx/common/config.ts";
import { DevelopmentIssuer } from "../../../roles/server/development-tokens.ts";
import type { Listening } from "../server.ts";
import type { StockFile } from "../stock.ts";

export type Service = "kms" | "gms" | "mcx";

/** Seconds: those that were recorded hold as long as the run. */
const LIFETIME = 6 * 3600;

export class Tokens {
  readonly #issuers: Readonly<Record<Service, DevelopmentIssuer>>;
  readonly #audiences: ReturnType<typeof audiencesOf>;

  private constructor(
    issuers: Readonly<Record<Service, DevelopmentIssuer>>,
    audiences: ReturnType<typeof audiencesOf>,
  ) {
    this.#issuers = issuers;
    this.#audiences = audiences;
  }

  static async open(dataDir: string, server: Listening): Promise<Tokens> {
    const files = { tokenKey: join(dataDir, "token.key") };
    const audiences = audiencesOf(server);
    const of = (service: Service) => developmentIssuerOf(files, audiences[service]);
    return new Tokens({ kms: await of("kms"), gms: await of("gms"), mcx: await of("mcx") }, audiences);
  }

  of(userUri: string, service: Service): Promise<string> {
    return this.#issuers[service].token({ userUri, lifetime: LIFETIME, now: Date.now() });
  }

  /** Tokens of a user who is not a member, an expired one of a member, and one of a member by another issuer. */
  async hostile(outsider: string, member: string): Promise<StockFile["tokens"]> {
    const services = ["kms", "gms", "mcx"] as const;
    const each = async (make: (service: Service) => Promise<string>) => {
      const [kms, gms, mcx] = await Promise.all(services.map(make));
      return { kms: kms!, gms: gms!, mcx: mcx! };
    };
    return {
      outsider: await each((service) => this.of(outsider, service)),
      expired: await each((service) =>
        this.#issuers[service].token({ userUri: member, lifetime: 60, now: Date.now() - 3_600_000 }),
      ),
      forged: await each(async (service) => {
        const issuer = await DevelopmentIssuer.create([this.#audiences[service]]);
        return issuer.token({ userUri: member, lifetime: LIFETIME, now: Date.now() });
      }),
    };
  }
}

function audiencesOf({ kmsUri, gmsUri, mcxUri }: Listening) {
  return { kms: kmsAudience(kmsUri), gms: gmsAudience(gmsUri), mcx: mcxAudience(mcxUri) };
}
