/** Lets the user sign in, or say who they are. */
import { isOidc } from "../config.ts";
import { config, fault, logIn, logOut, session } from "./identity.ts";

/** The address of the page may name a user, as `npm run play` does. */
function knownUser(): string {
  return new URLSearchParams(location.search).get("user") ?? localStorage.getItem("user") ?? "";
}

interface SignInFormProps {
  /** Called by the gesture that browsers want for sound. */
  readonly join: (user: string, listenOnly: boolean) => Promise<void>;
}

export function SignInForm({ join }: SignInFormProps) {
  return (
    <>
      <Way join={join} />
      <p role="status">{fault.value}</p>
    </>
  );
}

/** As the configuration has it. */
function Way({ join }: SignInFormProps) {
  const known = config.value;
  if (known === undefined) return null;
  if (!isOidc(known.signIn)) return <Join join={join} user={undefined} />;
  if (session.value === undefined) return <p>Looking for your session …</p>;
  const { user } = session.value;
  if (user !== undefined) return <Join join={join} user={user} />;
  return (
    <>
      <button type="button" class="main" onClick={logIn}>
        Sign in
      </button>
      <p class="quiet">You sign in at {new URL(known.signIn.issuer).host}.</p>
    </>
  );
}

/** While one has joined: the identity management server has ended the session. What is there goes on until its tokens end. */
export function SignInAgain() {
  if (session.value === undefined || session.value.user !== undefined) return null;
  return (
    <p class="notice" role="status">
      Your session has ended.{" "}
      <button type="button" class="main" onClick={logIn}>
        Sign in again
      </button>
    </p>
  );
}

/** `user`: who has signed in; undefined: who one is is asked. */
function Join({ user, join }: SignInFormProps & { readonly user: string | undefined }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const as = user ?? String(form.get("user")).trim();
    if (as !== "") void join(as, form.get("listen-only") !== null);
  };
  return (
    <form onSubmit={submit}>
      {user === undefined ? (
        <>
          <label for="user">Your identity</label>
          <input
            id="user"
            name="user"
            required
            autocomplete="username"
            spellcheck={false}
            defaultValue={knownUser()}
            placeholder="sip:alice@example.org"
          />
        </>
      ) : (
        <p>
          You are <strong>{user}</strong>.
        </p>
      )}
      <label class="line">
        <input type="checkbox" name="listen-only" />
        Listen only, without a microphone
      </label>
      <button type="submit" class="main">
        Join
      </button>
      {user !== undefined && (
        <button type="button" onClick={logOut}>
          Sign out
        </button>
      )}
    </form>
  );
}
