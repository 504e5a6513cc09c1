/** Lets the user sign in, or say who they are. */
import { isOidc } from "../config.ts";
import { config, fault, logIn, logOut, session } from "./identity.ts";
import { signIn } from "./store.ts";

/** The address of the page may name a user, as `npm run play` does. */
function knownUser(): string {
  return new URLSearchParams(location.search).get("user") ?? localStorage.getItem("user") ?? "";
}

export function SignIn() {
  return (
    <main class="sign-in">
      <h1>Push to talk</h1>
      <Way />
      <p role="status">{fault.value}</p>
      <p>What is said is encrypted from member to member: the server that carries it has no key.</p>
    </main>
  );
}

/** As the configuration has it. */
function Way() {
  const known = config.value;
  if (known === undefined) return null;
  if (!isOidc(known.signIn)) return <Join user={undefined} />;
  if (session.value === undefined) return <p>Looking for your session …</p>;
  const { user } = session.value;
  if (user !== undefined) return <Join user={user} />;
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

/** The gesture that browsers want for sound. `user`: who has signed in; undefined: who one is is asked. */
function Join({ user }: { readonly user: string | undefined }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const as = user ?? String(form.get("user")).trim();
    if (as !== "") void signIn(as, form.get("listen-only") !== null);
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
