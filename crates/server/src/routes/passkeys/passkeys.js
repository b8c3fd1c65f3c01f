// The page on which a browser is asked for passkeys: for a person who signs in here, and for `keystead` on this computer,
// which has begun a ceremony and waits for what comes of it on 127.0.0.1. What it needs stands behind the `#`, which
// reaches no server; what proves who began never comes here.
"use strict";

const at = (id) => document.getElementById(id);
const show = (id, shown) => { at(id).hidden = !shown; };

function encode(buffer) {
  let text = "";
  for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function decode(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

const withBytes = (list) => (list ?? []).map((one) => ({ ...one, id: decode(one.id) }));

async function create(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      user: { ...options.user, id: decode(options.user.id) },
      excludeCredentials: withBytes(options.excludeCredentials),
    },
  });
  const answer = credential.response;
  return {
    client_data: encode(answer.clientDataJSON),
    attestation: encode(answer.attestationObject),
    transports: answer.getTransports ? answer.getTransports() : [],
  };
}

async function get(options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      allowCredentials: withBytes(options.allowCredentials),
    },
  });
  const answer = credential.response;
  const proof = {
    credential_id: encode(credential.rawId),
    client_data: encode(answer.clientDataJSON),
    authenticator_data: encode(answer.authenticatorData),
    signature: encode(answer.signature),
  };
  if (answer.userHandle) proof.user_handle = encode(answer.userHandle);
  return proof;
}

// What the server refused.
class Problem extends Error {
  constructor(told) {
    super([told.detail ?? told.title, told.fix].filter(Boolean).join(" "));
    this.code = told.code;
    this.field = told.field;
    this.organizations = told.organizations ?? [];
  }
}

let csrf = "";

async function call(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (csrf && method !== "GET") headers["X-CSRF-Token"] = csrf;
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    redirect: "error",
  });
  const told = answer.status === 204 ? {} : await answer.json().catch(() => ({ detail: "The server answered no JSON." }));
  if (!answer.ok) throw new Problem(told);
  return told;
}

function say(text) {
  at("status").textContent = text;
  show("problem", false);
}

function complain(error) {
  const refused = error.name === "NotAllowedError";
  const known = error.name === "InvalidStateError";
  at("status").textContent = "";
  at("problem").textContent = refused
    ? "No passkey was used. Try again; your device asks you to unlock it."
    : known ? "This device has a passkey for the account already." : error.message;
  show("problem", true);
}

// Runs what a button asks for, once at a time.
let busy = false;
async function run(work) {
  if (busy) return;
  busy = true;
  document.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  try {
    show("problem", false);
    await work();
  } catch (error) {
    if (error.code === "second_factor_required" && csrf) {
      askToProve(work);
    } else {
      complain(error);
    }
  } finally {
    busy = false;
    document.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  }
}

// --- For a program on this computer ---

function asked() {
  try {
    const text = new TextDecoder().decode(decode(location.hash.slice(1)));
    const told = JSON.parse(text);
    const fits = Number.isInteger(told.port) && told.port > 0 && told.port < 65536 &&
      ["create", "get"].includes(told.do) && typeof told.options?.challenge === "string";
    return fits ? told : null;
  } catch {
    return null;
  }
}

function forProgram(told) {
  at("program-what").textContent = told.do === "create"
    ? `The command line on this computer adds a passkey to your account ${told.options.user?.name ?? ""}.`
    : "The command line on this computer asks you to prove with a passkey that it is you.";
  show("program", true);
  at("program-go").addEventListener("click", () => run(async () => {
    const answer = await (told.do === "create" ? create(told.options) : get(told.options));
    const code = encode(new TextEncoder().encode(JSON.stringify(answer)));
    const back = new URL("http://127.0.0.1/callback");
    back.port = String(told.port);
    back.search = new URLSearchParams({ state: told.options.challenge, code }).toString();
    say("Done. Go back to the terminal.");
    location.replace(back.href);
  }));
  at("program-go").focus();
}

// --- For a person ---

async function signIn() {
  const begun = await call("POST", "v1/sessions/passkey/begin");
  const passkey = { flow: begun.flow, ...await get(begun.options) };
  const chosen = at("organization").value;
  try {
    const session = await call("POST", "v1/sessions/passkey/finish", { passkey, organization: chosen || undefined });
    csrf = session.csrf_token;
    await showAccount(session);
  } catch (error) {
    if (error.code !== "organization_required") throw error;
    const choices = error.organizations.map((slug) => new Option(slug, slug));
    at("organization").replaceChildren(...choices);
    show("organization-field", true);
    at("organization").focus();
    say("Choose an organization, and sign in once more.");
  }
}

async function showAccount(session) {
  // First, so that nothing is shown of who was here before, or pressed before it does something.
  const { items } = await call("GET", "v1/account/passkeys");
  at("passkeys").replaceChildren(...items.map(line));
  at("who").textContent = `Signed in to ${session.organization} as ${session.email}.`;
  show("password-field", !session.second_factor);
  at("password").required = !session.second_factor;
  show("sign-in", false);
  show("prove", false);
  show("account", true);
  say(items.length ? "" : "There is no passkey yet.");
}

function line(passkey) {
  const item = document.createElement("li");
  const text = document.createElement("span");
  const when = document.createElement("span");
  const button = document.createElement("button");
  const used = passkey.last_used_at ? `last used ${new Date(passkey.last_used_at).toLocaleString()}` : "never used";
  text.textContent = `${passkey.name} `;
  when.textContent = used;
  when.className = "when";
  text.append(when);
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Delete";
  button.setAttribute("aria-label", `Delete the passkey ${passkey.name}`);
  button.addEventListener("click", () => run(async () => {
    await call("DELETE", `v1/account/passkeys/${passkey.id}`);
    await refresh();
    say(`Deleted ${passkey.name}. Your other sessions have ended.`);
  }));
  item.append(text, button);
  return item;
}

async function refresh() {
  const session = await call("GET", "v1/sessions/current");
  csrf = session.csrf_token;
  await showAccount(session);
}

async function add() {
  const name = at("name").value.trim();
  const password = at("password").value || undefined;
  const begun = await call("POST", "v1/account/passkeys/begin", { password });
  const made = await create(begun.options);
  const added = await call("POST", "v1/account/passkeys", { flow: begun.flow, name, ...made });
  at("add-form").reset();
  if (added.recovery_codes) {
    const lines = added.recovery_codes.map((code) => {
      const item = document.createElement("li");
      item.textContent = code;
      return item;
    });
    at("codes-list").replaceChildren(...lines);
    show("codes", true);
  }
  await refresh();
  say(`Added ${added.name}.`);
}

let afterProof = null;

function askToProve(work) {
  afterProof = work;
  show("prove", true);
  say("This needs your second factor again.");
  at("code").focus();
}

async function proved(proof) {
  await call("POST", "v1/sessions/current/second-factor", proof);
  at("prove-form").reset();
  show("prove", false);
  const work = afterProof;
  afterProof = null;
  if (work) await work();
}

async function proveWithPasskey() {
  const begun = await call("POST", "v1/sessions/current/second-factor/passkey");
  await proved({ passkey: { flow: begun.flow, ...await get(begun.options) } });
}

async function signOut() {
  await call("DELETE", "v1/sessions/current");
  csrf = "";
  for (const id of ["account", "prove", "codes"]) show(id, false);
  for (const id of ["passkeys", "codes-list"]) at(id).replaceChildren();
  show("sign-in", true);
  say("Signed out.");
}

const submits = (id, work) => at(id).addEventListener("submit", (event) => {
  event.preventDefault();
  run(work);
});

async function begin() {
  if (!window.PublicKeyCredential) {
    complain(new Error("This browser knows no passkeys, or the page was not opened over https."));
    return;
  }
  const told = asked();
  // Neither the history nor a reload asks again.
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (told) {
    forProgram(told);
    return;
  }
  submits("sign-in-form", signIn);
  submits("add-form", add);
  submits("prove-form", () => proved({ code: at("code").value }));
  at("prove-passkey").addEventListener("click", () => run(proveWithPasskey));
  at("sign-out").addEventListener("click", () => run(signOut));
  try {
    await refresh();
  } catch {
    show("sign-in", true);
    at("sign-in-go").focus();
  }
}

begin();
