"""A stock OAuth client (authlib) against a running server: metadata, keys, introspection, revocation."""
import json
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from joserfc import jwk as keys  # noqa: E402
from joserfc import jwt as jose  # noqa: E402

asked = json.load(sys.stdin)
base = asked["base"]


def client(method):
    session = OAuth2Session(
        asked["client_id"],
        asked["client_secret"],
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    # The server is here, whatever proxy leads elsewhere.
    session.trust_env = False
    return session


told = {}
session = client("client_secret_basic")
metadata = session.get(
    base + "/.well-known/oauth-protected-resource/api", withhold_token=True
).json()
told["metadata"] = metadata
key_set = keys.KeySet.import_key_set(
    session.get(metadata["jwks_uri"], withhold_token=True).json()
)
told["claims"] = jose.decode(asked["access"], key_set, algorithms=["ES256"]).claims
for method in ("client_secret_basic", "client_secret_post"):
    for hint in ("access_token", "refresh_token", None):
        answer = client(method).introspect_token(
            base + "/oauth/introspect", token=asked["access"], token_type_hint=hint
        )
        answer.raise_for_status()
        told.setdefault("active", []).append(answer.json()["active"])
answer = session.introspect_token(base + "/oauth/introspect", token=asked["refresh"])
told["refresh"] = answer.json()
answer = session.revoke_token(
    base + "/oauth/revoke", token=asked["refresh"], token_type_hint="refresh_token"
)
told["revoked"] = answer.status_code
answer = session.introspect_token(base + "/oauth/introspect", token=asked["access"])
told["after"] = answer.json()
json.dump(told, sys.stdout)
