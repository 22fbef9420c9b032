#!/usr/bin/env python3
"""Another service, which shares the signing secret and knows nothing but `blacklist:<jti>`.

    reader.py check  < token    prints "accepted" or "refused: WHY", and exits with 0 or 1
    reader.py revoke < token    puts the token out until it expires

JWT_SECRET is the secret, REDIS_URL the server (redis://127.0.0.1:6379 unless set).
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time


class Refused(Exception):
    pass


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims(token, secret):
    """The claims of a token that is signed with HS256 and has not expired."""
    try:
        head, body, signature = token.split(".")
        expected = hmac.new(secret, f"{head}.{body}".encode("ascii"), hashlib.sha256).digest()
        genuine = hmac.compare_digest(expected, decoded(signature))
        if not genuine or json.loads(decoded(head))["alg"] != "HS256":
            raise Refused("not genuine")
        told = json.loads(decoded(body))
        expires, _ = int(told["exp"]), told["jti"]
    except (ValueError, KeyError, TypeError):
        raise Refused("not a token") from None
    if expires <= time.time():
        raise Refused("expired")
    return told


def redis(*command):
    """The answer. A server that is away, or says no, is no reason to let anybody in."""
    server = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
    call = ["redis-cli", "-e", "-u", server, *command]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("Redis cannot be asked; nobody is let in")
    return done.stdout.strip()


def main(verb):
    told = claims(sys.stdin.read().strip(), os.environ["JWT_SECRET"].encode())
    key = f"blacklist:{told['jti']}"
    if verb == "revoke":
        redis("SET", key, "revoked", "EX", str(int(told["exp"]) - int(time.time())))
    elif redis("EXISTS", key) != "0":
        raise Refused("revoked")
    else:
        print("accepted")


if __name__ == "__main__":
    if sys.argv[1:] not in (["check"], ["revoke"]):
        sys.exit(__doc__)
    try:
        main(sys.argv[1])
    except Refused as why:
        print(f"refused: {why}")
        sys.exit(1)
