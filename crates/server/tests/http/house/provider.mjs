// A certified OpenID Connect provider for tests: oidc-provider, whose people sign in by being named. The first argument
// is the folder that it is installed in, the second what it begins with. It ends when its standard input does.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, begins] = process.argv.slice(2);
const module = pathToFileURL(join(folder, 'node_modules/oidc-provider/lib/index.js'));
const { Provider } = await import(module);

// What a test changes: who signs in next, what is said of them, and the time. The house's clock stands still, and so
// does this one.
const state = { now: 0, login: null, deny: false, amr: [], accounts: {}, ...JSON.parse(begins) };
Date.now = () => state.now;

function key() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
}

let issuer;
let handle;

// With keys of its own; what it remembers of sessions and codes stays.
function make() {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'keystead',
        client_secret: 'a-secret:of/the+client',
        application_type: 'native',
        redirect_uris: state.redirect_uris,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
      {
        client_id: 'public',
        application_type: 'native',
        redirect_uris: state.redirect_uris,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
    ],
    jwks: { keys: [key()] },
    cookies: { keys: ['of a test'] },
    pkce: { required: () => true },
    scopes: ['openid', 'email', 'profile', 'groups'],
    claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    ttl: { Session: 3600, Interaction: 3600, Grant: 3600, AccessToken: 600, AuthorizationCode: 60, IdToken: 600 },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ ...state.accounts[id], sub: id }),
    }),
    // Whoever is asked agrees.
    async loadExistingGrant(ctx) {
      const { client, session, params } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope);
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (_, error) => console.error(error));
  return [provider, provider.callback()];
}

async function interact(provider, request, response) {
  const { prompt } = await provider.interactionDetails(request, response);
  let result = { login: { accountId: state.login, amr: state.amr } };
  if (state.deny) result = { error: 'access_denied', error_description: '<script>alert(1)</script>' };
  else if (prompt.name === 'consent') result = { consent: {} };
  await provider.interactionFinished(request, response, result);
}

async function control(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { rotate, ...changes } = JSON.parse(Buffer.concat(chunks).toString());
  Object.assign(state, changes);
  if (rotate) handle = make();
  response.end('{}');
}

const server = createServer((request, response) => {
  const [provider, callback] = handle;
  const fail = (error) => {
    console.error(error);
    response.statusCode = 500;
    response.end();
  };
  if (request.url === '/control') control(request, response).catch(fail);
  else if (request.url.startsWith('/interaction/')) interact(provider, request, response).catch(fail);
  else callback(request, response);
});

// The server under test keeps its connections: one that closes by time may do so under its next request.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  handle = make();
  console.log(JSON.stringify({ issuer }));
});
process.stdin.on('end', () => process.exit(0)).resume();
