// Verifies our tokens with jose, and makes tokens with it. JSON in, JSON out.
import { text } from "node:stream/consumers";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const resolve = createRequire(process.argv[2] + "/package.json").resolve;
const jose = await import(pathToFileURL(resolve("jose")));
const bytes = (secret) => new TextEncoder().encode(secret);

const isSymmetric = (alg) => alg.startsWith("HS");

async function verified(asked) {
  const key =
    isSymmetric(asked.alg) ? bytes(asked.secret) : jose.createLocalJWKSet(asked.jwks);
  const { payload } = await jose.jwtVerify(asked.token, key, {
    algorithms: [asked.alg],
    issuer: asked.issuer,
    audience: asked.audience,
    typ: "at+jwt",
    requiredClaims: ["exp", "iat", "sub", "jti"],
  });
  return payload;
}

async function refuses(asked) {
  const end = asked.token.lastIndexOf(".") + 1;
  const first = asked.token[end] === "B" ? "C" : "B";
  const token = asked.token.slice(0, end) + first + asked.token.slice(end + 1);
  return verified({ ...asked, token }).then(() => false, () => true);
}

async function made(alg, secret, claims) {
  let key = bytes(secret);
  let jwk = {};
  if (!isSymmetric(alg)) {
    const pair = await jose.generateKeyPair(alg, { extractable: true });
    key = pair.privateKey;
    jwk = await jose.exportJWK(pair.publicKey);
  }
  const header = { alg, kid: "theirs", typ: "at+jwt" };
  const token = await new jose.SignJWT(claims).setProtectedHeader(header).sign(key);
  return { alg, jwk: { ...jwk, kid: "theirs", alg, use: "sig" }, tokens: { jose: token } };
}

const asked = JSON.parse(await text(process.stdin));
const answer = { verified: [], made: [] };
for (const one of asked.verify) {
  answer.verified.push({
    alg: one.alg,
    by: "jose",
    claims: await verified(one),
    refuses: await refuses(one),
  });
}
for (const alg of asked.make) {
  answer.made.push(await made(alg, asked.secret, asked.claims));
}
console.log(JSON.stringify(answer));
