// A real OpenID provider on a free port of this machine. Prints its issuer. Whoever comes is signed in as one person, with the
// claims that Pro Santé Connect would give.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const claims = {
  sub: "f:real:1",
  SubjectNameID: "899700218896",
  SubjectRefPro: { exercices: [{ codeProfession: "10", activities: [{ numeroFinessSite: "750000001" }] }] },
};

const provider = new Provider(issuer, {
  clients: [{
    client_id: "hygie",
    client_secret: "a-secret-of-the-test",
    redirect_uris: ["http://127.0.0.1:9/oauth/callback", process.env.HYGIE_TEST_OIDC_CALLBACK].filter(Boolean),
    token_endpoint_auth_method: "client_secret_post",
    application_type: "web",
  }],
  jwks: { keys: [{ ...key, use: "sig", alg: "RS256" }] },
  claims: { openid: Object.keys(claims) },
  findAccount: () => ({ accountId: claims.sub, claims: () => claims }),
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  cookies: { keys: ["of the test"] },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async (context) => {
    const grant = new context.oidc.provider.Grant({
      clientId: context.oidc.client.clientId,
      accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
});

provider.use(async (context, next) => {
  if (!context.path.startsWith("/interaction/")) return next();
  await provider.interactionFinished(context.req, context.res, { login: { accountId: claims.sub } });
  context.respond = false;
});
server.on("request", provider.callback());
console.log(issuer);
