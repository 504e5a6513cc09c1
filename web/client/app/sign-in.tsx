/** Who one is. */
import { signIn } from "./store.ts";

/** The address of the page may name a user, as `npm run play` does. */
function knownUser(): string {
  return new URLSearchParams(location.search).get("user") ?? localStorage.getItem("user") ?? "";
}

export function SignIn() {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const as = String(form.get("user")).trim();
    if (as !== "") void signIn(as, form.get("listen-only") !== null);
  };
  return (
    <main class="sign-in">
      <h1>Push to talk</h1>
      <form onSubmit={submit}>
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
        <label class="line">
          <input type="checkbox" name="listen-only" />
          Listen only, without a microphone
        </label>
        <button type="submit" class="main">
          Join
        </button>
      </form>
      <p>What is said is encrypted from member to member: the server that carries it has no key.</p>
    </main>
  );
}
