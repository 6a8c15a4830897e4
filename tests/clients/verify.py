"""A backend with PyJWT. It verifies an access token with discovery and the published keys, and refuses other tokens.

python verify.py ISSUER TOKENS-FILE
"""

import json
import sys
import urllib.request

import jwt

issuer, file = sys.argv[1:]
with open(file, encoding="utf-8") as opened:
    tokens = json.load(opened)
with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=10) as answer:
    discovery = json.load(answer)
assert discovery["issuer"] == issuer, discovery
keys = jwt.PyJWKClient(discovery["jwks_uri"], timeout=10)
REQUIRED = ["exp", "iat", "nbf", "iss", "aud", "sub", "jti", "sid", "client_id", "token_type"]


def verified(token, key=None, **changed):
    rules = {"issuer": issuer, "audience": "latchkey", "algorithms": discovery["id_token_signing_alg_values_supported"]}
    key = key or keys.get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, options={"require": REQUIRED}, **(rules | changed))


def refused(reason, token, **changed):
    try:
        verified(token, **changed)
    except reason:
        return
    raise AssertionError(f"PyJWT takes what should be {reason.__name__}")


access = tokens["access"]
claims = verified(access)
assert claims["token_type"] == "access" and claims["user_id"] == claims["sub"], claims
assert jwt.get_unverified_header(access)["typ"] == "at+jwt"

refused(jwt.DecodeError, tokens["refresh"])
refused(jwt.InvalidAudienceError, access, audience="another")
refused(jwt.InvalidIssuerError, access, issuer="https://another.example")
refused(jwt.InvalidAlgorithmError, access, algorithms=["HS256"])
head, body, signature = access.split(".")
other = jwt.utils.base64url_encode(json.dumps(claims | {"sub": "somebody-else"}).encode()).decode()
refused(jwt.InvalidSignatureError, f"{head}.{other}.{signature}")
unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": jwt.get_unverified_header(access)["kid"]})
refused(jwt.InvalidAlgorithmError, unsigned)
print("PyJWT takes the access token and refuses everything else")
