/**
 * Identifies the caller and checks their rights: the operator may do everything, managers only what concerns their
 * groups.
 */
import type { IncomingHttpHeaders } from "node:http";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import { operatorCheck } from "../../server/admin-listener.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import { type Caller, manager } from "../common/caller.ts";
import { isError } from "../common/errors.ts";
import { managerOf, operatorOf } from "./caller.ts";
import type { Call, Operation, Rights } from "./operations.ts";

export interface AccessOptions {
  readonly store: Pick<GmsStore, "group">;
  /** Token of the operator; without it there is no operator. */
  readonly token?: string;
  /** Verifier of users' tokens; without it there are no users. */
  readonly tokens?: TokenVerifier;
  readonly now: () => number;
}

export class Access {
  readonly #options: AccessOptions;
  readonly #isOperator: (authorization: string | undefined) => boolean;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#isOperator = options.token === undefined ? () => false : operatorCheck(options.token);
  }

  /**
   * Returns the operator, or a user as the manager of the groups that name them so.
   *
   * @throws {MikeySakkeError} usage ADMIN_TOKEN, BAD_ADMIN_REQUEST, FORBIDDEN; those of the verifier of tokens
   */
  async caller(headers: IncomingHttpHeaders): Promise<Caller> {
    const { authorization } = headers;
    if (this.#isOperator(authorization)) return operatorOf(headers);
    const { tokens, now } = this.#options;
    if (tokens === undefined || authorization === undefined) {
      throw new MikeySakkeError("usage", "ADMIN_TOKEN", "the admin token is wrong");
    }
    return managerOf((await tokens.verify(authorization, now())).identities, headers);
  }

  /** @throws {MikeySakkeError} usage FORBIDDEN, which does not tell what exists */
  async rightsFor(caller: Caller, operation: Operation, call: Omit<Call, keyof Rights>): Promise<Rights> {
    if (caller.kind === "operator") return { caller, manages: async () => true };
    const { identities } = caller;
    const manages = async (groups: readonly string[]) => (await this.#able(identities, groups)).length > 0;
    const forbidden = () => new MikeySakkeError("usage", "FORBIDDEN", "for managers of the groups concerned");
    const groups = await operation.groups?.(call as Call<never, never>).catch((error) => {
      if (isError(error, "REKEY_UNKNOWN") || isError(error, "GROUP_UNKNOWN")) throw forbidden();
      throw error;
    });
    const able = groups === undefined || groups.length === 0 ? [] : await this.#able(identities, groups);
    if (able.length === 0) throw forbidden();
    return { caller: manager(able[0]!, able), manages };
  }

  /** The identities that manage all these groups. */
  async #able(identities: readonly string[], groups: readonly string[]): Promise<readonly string[]> {
    let able = identities;
    for (const uri of groups) {
      const managers = (await this.#options.store.group(uri))?.settings.managers ?? [];
      able = able.filter((identity) => managers.includes(identity));
    }
    return able;
  }
}
