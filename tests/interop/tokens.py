"""Verifies our tokens with PyJWT and joserfc, and makes tokens with each of them.

Reads one JSON document from standard input, and writes one to standard output.
"""
import json
import sys

import jwt
from joserfc import jwk as keys
from joserfc import jwt as jose


def is_symmetric(alg):
    return alg.startswith("HS")


def verified_by_pyjwt(case):
    if is_symmetric(case["alg"]):
        key = case["secret"]
    else:
        key = jwt.PyJWK.from_dict(case["jwks"]["keys"][0]).key
    return jwt.decode(
        case["token"],
        key,
        algorithms=[case["alg"]],
        issuer=case["issuer"],
        audience=case["audience"],
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
    )


def verified_by_joserfc(case):
    if is_symmetric(case["alg"]):
        key = keys.OctKey.import_key(case["secret"])
    else:
        key = keys.KeySet.import_key_set(case["jwks"])
    token = jose.decode(case["token"], key, algorithms=[case["alg"]])
    registry = jose.JWTClaimsRegistry(
        iss={"essential": True, "value": case["issuer"]},
        aud={"essential": True, "value": case["audience"]},
        exp={"essential": True},
    )
    registry.validate(token.claims)
    return token.claims


def refuses_tampered(verify, case):
    head, _, tag = case["token"].rpartition(".")
    broken = dict(case, token=head + "." + ("B" if tag[0] != "B" else "C") + tag[1:])
    try:
        verify(broken)
    except Exception:
        return True
    return False


def made_key(alg, secret):
    if is_symmetric(alg):
        return keys.OctKey.import_key(secret)
    if alg[:2] in ("RS", "PS"):
        return keys.RSAKey.generate_key(2048)
    if alg[:2] == "ES":
        return keys.ECKey.generate_key("P-" + alg[2:])
    return keys.OKPKey.generate_key("Ed25519")


def made(alg, secret, claims):
    key = made_key(alg, secret)
    header = {"alg": alg, "kid": "theirs", "typ": "at+jwt"}
    public = key.as_dict(private=False) if not is_symmetric(alg) else {}
    public.update(kid="theirs", alg=alg, use="sig")
    private = secret if is_symmetric(alg) else key.as_pem(private=True).decode()
    return {
        "alg": alg,
        "jwk": public,
        "tokens": {
            "joserfc": jose.encode(header, claims, key, algorithms=[alg]),
            "pyjwt": jwt.encode(claims, private, algorithm=alg, headers=header),
        },
    }


def main():
    asked = json.load(sys.stdin)
    verifiers = {"pyjwt": verified_by_pyjwt, "joserfc": verified_by_joserfc}
    verified = [
        {
            "alg": case["alg"],
            "by": name,
            "claims": verify(case),
            "refuses": refuses_tampered(verify, case),
        }
        for case in asked["verify"]
        for name, verify in verifiers.items()
    ]
    tokens = [made(alg, asked["secret"], asked["claims"]) for alg in asked["make"]]
    json.dump({"verified": verified, "made": tokens}, sys.stdout)


main()
